//! Processes that stay and are asked for one thing after the other: they take turns with others, or run at once.

use crate::child::ARGUMENT;
use crate::run::Made;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A process that answers each line by a line. It ends with this.
pub(crate) struct Member {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    name: String,
}

impl Member {
    /// Starts a program. What it says on standard error goes through.
    pub(crate) fn start(mut command: Command) -> Made<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().map_err(|error| format!("{name}: {error}"))?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let (Some(to), Some(from)) = (to, from) else { return Err("a process without pipes".into()) };
        Ok(Self { child, to, from: BufReader::new(from), name })
    }

    /// Starts this program as the process that does one work.
    pub(crate) fn own(work: &str, args: &[&str]) -> Made<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(ARGUMENT).arg(work).args(args);
        Self::start(command)
    }

    /// Says a line.
    pub(crate) fn tell(&mut self, line: &str) -> Made<()> {
        writeln!(self.to, "{line}")
            .and_then(|()| self.to.flush())
            .map_err(|error| self.gone(&error.to_string()))?;
        Ok(())
    }

    /// Waits for a line.
    pub(crate) fn hear(&mut self) -> Made<String> {
        let mut line = String::new();
        match self.from.read_line(&mut line) {
            Ok(read) if read > 0 => Ok(line.trim_end().to_owned()),
            Ok(_) => Err(self.gone("it ended").into()),
            Err(error) => Err(self.gone(&error.to_string()).into()),
        }
    }

    /// Says a line and waits for the answer, a number.
    pub(crate) fn ask(&mut self, line: &str) -> Made<f64> {
        self.tell(line)?;
        let answer = self.hear()?;
        answer.parse().map_err(|_| format!("{}: {line}: {answer}", self.name).into())
    }

    fn gone(&mut self, why: &str) -> String {
        let status = self.child.try_wait().ok().flatten();
        format!("{}: {why}{}", self.name, status.map(|status| format!(" ({status})")).unwrap_or_default())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // It has nothing to save: its files go, too.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(text: &str) -> Member {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(text);
        Member::start(shell).unwrap()
    }

    #[test]
    fn a_member_answers_line_by_line() {
        let mut member = shell("echo ready; while read a b; do echo $((a + b)); done");
        assert_eq!(member.hear().unwrap(), "ready");
        assert_eq!((member.ask("1 2").unwrap(), member.ask("3 4").unwrap()), (3.0, 7.0));
    }

    #[test]
    fn one_that_is_gone_is_an_error() {
        let mut member = shell("echo no number; read a; exit 3");
        assert!(member.ask("go").unwrap_err().to_string().ends_with("go: no number"));
        let error = member.hear().unwrap_err().to_string();
        assert!(error.contains("it ended"), "{error}");
        assert!(Member::start(Command::new("/nowhere/at/all")).is_err());
    }
}
