//! The fields of a line of the log, where no terminal wants them in colours: `name=value`, with what could break the line escaped.
//! tracing's own way of writing them looks at its colours for every piece, and takes as long as a quarter of a request passed on.

use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FormatFields, format::Writer},
};

/// Writes fields as they are.
pub(super) struct Plain;

impl<'w> FormatFields<'w> for Plain {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut line = Line {
            writer,
            begun: false,
            written: Ok(()),
        };
        fields.record(&mut line);
        line.written
    }
}

struct Line<'w> {
    writer: Writer<'w>,
    begun: bool,
    written: fmt::Result,
}

impl Line<'_> {
    fn field(&mut self, field: &Field, write: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        let name = field.name();
        let Self { writer, begun, written } = self;
        let whole = || {
            if std::mem::replace(begun, true) {
                writer.write_char(' ')?;
            }
            // What happened comes first, and without a name.
            if name != "message" {
                writer.write_str(name.trim_start_matches("r#"))?;
                writer.write_char('=')?;
            }
            write(writer)
        };
        if written.is_ok() {
            *written = whole();
        }
    }
}

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.field(field, |writer| write!(Escaped(writer), "{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            return self.field(field, |writer| Escaped(writer).write_str(value));
        }
        let plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        self.field(field, |writer| {
            if value.bytes().all(plain) {
                ["\"", value, "\""].iter().try_for_each(|piece| writer.write_str(piece))
            } else {
                write!(writer, "{value:?}")
            }
        });
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, |writer| writer.write_str(if value { "true" } else { "false" }));
    }
}

/// Text whose control characters are escaped: others than ours can neither end the line nor colour it.
struct Escaped<'w, 'l>(&'l mut Writer<'w>);

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut done = 0;
        for (at, control) in text.match_indices(char::is_control) {
            self.0.write_str(text.get(done..at).unwrap_or_default())?;
            write!(self.0, "{}", control.escape_default())?;
            done = at + control.len();
        }
        self.0.write_str(text.get(done..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What `say` logs, by these fields and by tracing's.
    fn lines(say: impl Fn()) -> [String; 2] {
        let (ours, theirs) = (Written::default(), Written::default());
        let (to_ours, to_theirs) = (ours.clone(), theirs.clone());
        let format = || tracing_subscriber::fmt().without_time().with_ansi(false);
        let plain = format().fmt_fields(Plain).with_writer(move || to_ours.clone());
        tracing::subscriber::with_default(plain.finish(), &say);
        let usual = format().with_writer(move || to_theirs.clone());
        tracing::subscriber::with_default(usual.finish(), &say);
        [ours, theirs].map(|written| String::from_utf8(written.0.lock().unwrap().clone()).unwrap())
    }

    #[test]
    fn a_line_says_what_it_always_said() {
        let [ours, theirs] = lines(|| {
            let (none, some) = (None::<u64>, Some(7_u64));
            tracing::info!(
                id = "a b",
                r#type = "x",
                none,
                some,
                ms = 1.5,
                whole = 2.0,
                streaming = false,
                quoted = "\"\\ü\n",
                shown = %"a=b",
                told = ?["x"],
                "what {}",
                "happened"
            );
            tracing::warn!("no fields");
        });
        assert_eq!(ours, theirs);
    }

    #[test]
    fn nobody_elses_text_ends_a_line_or_colours_it() {
        let [ours, _] = lines(|| tracing::info!(reason = %"a\nINFO b\u{1b}[31m", "c\rd"));
        assert_eq!(ours.trim_end().lines().count(), 1, "{ours}");
        assert!(!ours.contains(['\r', '\u{1b}']), "{ours}");
        assert!(ours.contains("reason=a\\nINFO b\\u{1b}[31m"), "{ours}");
    }
}
