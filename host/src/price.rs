//! What an answer costs: a [`Price`] has a rate for each line of [`Usage::lines`], and multiplies them out in whole picodollars
//! (10⁻¹² USD), so that sums are exact. What has no price is unknown, which is not the same as free.

use std::fmt;

use crate::reply::Usage;

/// The lines that can have a rate: the words of [`Usage::lines`], in its order.
const LINES: [&str; 12] = [
    "input",
    "cached",
    "cache_written",
    "cache_written_hour",
    "audio_input",
    "image_input",
    "output",
    "reasoning",
    "audio_output",
    "image_output",
    "requests",
    "seconds",
];

/// Those that are counted one by one. The others are tokens, and people price those by the million.
const SINGLE: [&str; 2] = ["requests", "seconds"];

/// A million picodollars a token is a dollar per million tokens.
const PER_MILLION: u64 = 1_000_000;
/// Picodollars in a dollar.
const DOLLAR: u64 = 1_000_000_000_000;

/// A price list: rates, and those that hold instead for a long prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price {
    rates: Rates,
    /// A number of prompt tokens, and what holds for a prompt of more. The whole prompt and answer are charged so.
    tiers: Vec<(u64, Rates)>,
}

/// Picodollars for one of each line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rates([Option<u64>; LINES.len()]);

/// An amount of money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost {
    /// In picodollars.
    pub pico: u64,
}

impl Price {
    /// Sets the rate of a line, in picodollars for one; a word that is no line has no rate.
    pub fn set(&mut self, line: &str, pico: u64) {
        self.rates.set(line, pico);
    }

    /// The same for prompts of more than `above` tokens.
    pub fn set_above(&mut self, above: u64, line: &str, pico: u64) {
        let at = self.tiers.partition_point(|(other, _)| *other < above);
        if self.tiers.get(at).is_none_or(|(other, _)| *other != above) {
            self.tiers.insert(at, (above, Rates::default()));
        }
        if let Some((_, rates)) = self.tiers.get_mut(at) {
            rates.set(line, pico);
        }
    }

    /// The rate of a line as it is listed, in picodollars for one.
    pub fn rate(&self, line: &str) -> Option<u64> {
        self.rates.get(line)
    }

    /// True if nothing has a price.
    pub fn is_empty(&self) -> bool {
        self.rates == Rates::default() && self.tiers.is_empty()
    }

    /// What `usage` costs; `None` if it is not known what was used, or what a part of it costs.
    pub fn cost(&self, usage: &Usage) -> Option<Cost> {
        let prompt = usage.input.unwrap_or(0);
        let tier = self.tiers.iter().rev().find(|(above, _)| prompt > *above);
        let rates = tier.map_or(self.rates, |(_, tier)| tier.over(self.rates));
        let mut pico: u64 = 0;
        for (line, count) in usage.lines() {
            pico = pico.checked_add(rates.of(line)?.checked_mul(count)?)?;
        }
        // An answer of nothing is free; one that nobody counted is not.
        (usage
            .input
            .or(usage.output)
            .or(usage.requests)
            .or(usage.seconds)
            .is_some())
        .then_some(Cost { pico })
    }

    /// Reads what [`Price`] shows itself as.
    pub fn parse(text: &str) -> Option<Self> {
        let mut price = Self::default();
        let mut above = None;
        for word in text.split_ascii_whitespace() {
            if let Some(tokens) = word.strip_prefix('>') {
                above = Some(tokens.parse().ok()?);
                continue;
            }
            let (line, dollars) = word.split_once('=')?;
            let pico = pico(dollars, unit(line))?;
            match above {
                Some(above) => price.set_above(above, line, pico),
                None => price.set(line, pico),
            }
        }
        (!price.is_empty()).then_some(price)
    }

    /// The listed rates in USD, tokens by the million: what people compare.
    pub fn dollars(&self) -> impl Iterator<Item = (&'static str, Amount)> + '_ {
        self.rates.listed()
    }

    /// The tiers: above how many prompt tokens, and the rates that differ then.
    pub fn tiers(&self) -> impl Iterator<Item = (u64, impl Iterator<Item = (&'static str, Amount)> + '_)> {
        self.tiers.iter().map(|(above, rates)| (*above, rates.listed()))
    }
}

impl Rates {
    fn get(&self, line: &str) -> Option<u64> {
        let at = LINES.iter().position(|known| *known == line)?;
        *self.0.get(at)?
    }

    fn set(&mut self, line: &str, pico: u64) {
        let at = LINES.iter().position(|known| *known == line);
        if let Some(rate) = at.and_then(|at| self.0.get_mut(at)) {
            *rate = Some(pico);
        }
    }

    /// These, and those of `base` where there is none.
    fn over(mut self, base: Self) -> Self {
        for (rate, base) in self.0.iter_mut().zip(base.0) {
            *rate = rate.or(base);
        }
        self
    }

    /// The rate a line is charged at. Providers list what differs: without a rate of its own a part of the prompt costs what the
    /// prompt does, and reasoning what the answer does. Made sound and pictures never cost what text does.
    fn of(&self, line: &str) -> Option<u64> {
        self.get(line).or_else(|| match line {
            "cached" | "cache_written" | "audio_input" | "image_input" => self.get("input"),
            "cache_written_hour" if self.get("cache_written").is_none() => self.get("input"),
            "reasoning" => self.get("output"),
            _ => None,
        })
    }

    fn listed(&self) -> impl Iterator<Item = (&'static str, Amount)> + '_ {
        LINES.iter().zip(self.0).filter_map(|(line, rate)| {
            Some((
                *line,
                Amount {
                    pico: rate?,
                    unit: unit(line),
                },
            ))
        })
    }
}

impl fmt::Display for Price {
    /// `input=3 output=15 >200000 input=6`: USD per million tokens, and per request and second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        for (line, amount) in self.dollars() {
            write!(f, "{space}{line}={amount}")?;
            space = " ";
        }
        for (above, rates) in self.tiers() {
            write!(f, "{space}>{above}")?;
            space = " ";
            for (line, amount) in rates {
                write!(f, " {line}={amount}")?;
            }
        }
        Ok(())
    }
}

/// Picodollars, shown as a decimal number of some unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    pico: u64,
    unit: u64,
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.unit.ilog10() as usize;
        let (whole, rest) = (self.pico / self.unit, self.pico % self.unit);
        let digits = format!("{rest:0places$}");
        match digits.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            digits => write!(f, "{whole}.{digits}"),
        }
    }
}

impl fmt::Display for Cost {
    /// USD, exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pico, unit) = (self.pico, DOLLAR);
        Amount { pico, unit }.fmt(f)
    }
}

/// Picodollars in one of what a line is shown in.
fn unit(line: &str) -> u64 {
    if SINGLE.contains(&line) { DOLLAR } else { PER_MILLION }
}

/// A decimal number of `unit`s in picodollars; `None` if it is none, or finer than that.
fn pico(text: &str, unit: u64) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let places = u32::try_from(part.len()).ok()?;
    if places > unit.ilog10() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part: u64 = if part.is_empty() { 0 } else { part.parse().ok()? };
    let whole: u64 = whole.parse().ok()?;
    whole
        .checked_mul(unit)?
        .checked_add(part.checked_mul(unit / 10_u64.pow(places))?)
}

#[cfg(test)]
mod tests {
    use super::{Cost, Price};
    use crate::reply::Usage;

    const LIST: &str = "input=1.25 cached=0.125 output=10 requests=0.01 >200000 input=2.5 output=15";

    #[test]
    fn a_price_reads_as_it_is_written() {
        let price = Price::parse(LIST).expect("a price");
        assert_eq!(price.to_string(), LIST);
        assert_eq!(
            (price.rate("input"), price.rate("requests")),
            (Some(1_250_000), Some(10_000_000_000))
        );
        for wrong in [
            "",
            "input",
            "input=x",
            "input=0.0000001",
            "input=1e3",
            "input=-1",
            ">x input=1",
        ] {
            assert_eq!(Price::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_million_tokens_at_a_tenth_of_a_cent_cost_exactly_that() {
        let price = Price::parse("input=0.1 output=0.000001").expect("a price");
        let usage = |input, output| Usage {
            input: Some(input),
            output: Some(output),
            ..Usage::default()
        };
        assert_eq!(price.cost(&usage(3, 0)), Some(Cost { pico: 300_000 }));
        assert_eq!(
            price.cost(&usage(1_000_000, 1)).expect("known").to_string(),
            "0.100000000001"
        );
        assert_eq!(price.cost(&usage(0, 0)).expect("known").to_string(), "0");
    }

    #[test]
    fn cached_tokens_have_their_own_price_and_a_long_prompt_another() {
        let price = Price::parse(LIST).expect("a price");
        let mut usage = Usage {
            input: Some(100_000),
            cached: Some(60_000),
            output: Some(1000),
            reasoning: Some(400),
            requests: Some(2),
            ..Usage::default()
        };
        assert_eq!(price.cost(&usage).expect("known").to_string(), "0.0875");
        usage.input = Some(200_000);
        assert_eq!(
            price.cost(&usage).expect("known").to_string(),
            "0.2125",
            "not above yet"
        );
        usage.input = Some(200_001);
        // A tier names what differs: cached tokens cost what they did.
        assert_eq!(price.cost(&usage).expect("known").to_string(), "0.3925025");
    }

    #[test]
    fn what_has_no_price_is_unknown_and_never_free() {
        let price = Price::parse("input=1 output=2 cache_written=1.25").expect("a price");
        let usage = Usage {
            input: Some(10),
            output: Some(1),
            ..Usage::default()
        };
        let with = |change: fn(&mut Usage)| {
            let mut usage = usage;
            change(&mut usage);
            price.cost(&usage)
        };
        assert!(with(|_| {}).is_some());
        assert_eq!(with(|usage| usage.requests = Some(1)), None);
        assert_eq!(with(|usage| usage.audio_output = Some(1)), None);
        assert_eq!(
            with(|usage| (usage.cache_written, usage.cache_written_hour) = (Some(1), Some(1))),
            None
        );
        assert_eq!(price.cost(&Usage::default()), None, "nobody counted");
    }
}
