//! `tests/PAINS.md` lists what users of other gateways complain about, and the tests that show that it does not happen here. What it
//! names must be there.

use std::fs;

use witgate_tests::root;

/// The number of a complaint and the tests of its line: a file, and a function in it.
fn line(line: &str) -> Option<(usize, Vec<(&str, &str)>)> {
    let mut cells = line.split('|').map(str::trim).skip(1);
    let number = cells.next()?.parse().ok()?;
    let named = |test| {
        Some(str::split_once(test, "`: `")?).map(|(file, name)| (file.trim_matches('`'), name.trim_matches('`')))
    };
    Some((number, cells.nth(1)?.split("<br>").filter_map(named).collect()))
}

#[test]
fn every_complaint_has_a_test_that_is_there() {
    let page = fs::read_to_string(root().join("tests/PAINS.md")).expect("the list is in the repository");
    let lines: Vec<_> = page.lines().filter_map(line).collect();
    let numbers: Vec<usize> = lines.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=27).collect::<Vec<_>>(), "each has its line");
    let mut wrong = Vec::new();
    for (number, tests) in &lines {
        for (file, test) in tests {
            let code = fs::read_to_string(root().join(file)).unwrap_or_default();
            if !code.contains(&format!("fn {test}()")) {
                wrong.push(format!("{number}: {file} has no test {test}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let without = lines.iter().filter(|(_, tests)| tests.is_empty());
    let without: Vec<usize> = without.map(|(number, _)| *number).collect();
    assert_eq!(
        without,
        [21],
        "budgets are not there yet; nothing else is without a test"
    );
}
