//! What commands print: JSON for programs, tables for people, in colour only where a person looks.

use std::io::{self, IsTerminal, Write};

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, TableComponent, presets};

/// Prints a line. A reader that has gone away, `| head`, is no error.
pub(super) fn line(text: impl std::fmt::Display) {
    drop(writeln!(io::stdout().lock(), "{text}"));
}

/// Prints text that ends its lines itself.
pub(super) fn text(text: impl std::fmt::Display) {
    drop(write!(io::stdout().lock(), "{text}"));
}

/// Says something that is not the command's result: on stderr.
pub(super) fn aside(text: impl std::fmt::Display) {
    drop(writeln!(io::stderr().lock(), "witgate: {text}"));
}

/// Prints JSON, indented.
pub(super) fn json(value: &serde_json::Value) {
    line(format_args!("{value:#}"));
}

/// A table with these headings.
pub(super) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if people_look() {
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        table.remove_style(TableComponent::HorizontalLines);
        // A terminal that does not know its width says 0.
        if table.width().is_some_and(|width| width < 40) {
            table.set_width(120);
        }
        table.set_header(
            headings
                .iter()
                .map(|text| Cell::new(text).add_attribute(Attribute::Bold)),
        );
    } else {
        // For a file or a pipe: aligned columns and nothing else.
        table.load_preset(presets::NOTHING);
        table.force_no_tty();
        table.set_width(u16::MAX);
        table.set_header(headings);
    }
    table
}

/// A cell for something that is as it should be, or is not.
pub(super) fn verdict(text: impl std::fmt::Display, good: bool) -> Cell {
    let cell = Cell::new(text);
    match (people_look(), good) {
        (false, _) => cell,
        (true, true) => cell.fg(Color::Green),
        (true, false) => cell.fg(Color::Red),
    }
}

/// Colours are for a terminal whose owner has not said no to them (no-color.org).
fn people_look() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
