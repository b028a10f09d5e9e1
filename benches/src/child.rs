//! A part of a bench in a process of its own: its peak memory and its CPU time are its own then.

use crate::run::Made;
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// The argument that makes this program such a process. Not for people, so the help doesn't tell it.
pub(crate) const ARGUMENT: &str = "--child";

/// What such a process does with its arguments, and what it tells.
pub(crate) type Work = fn(&[String]) -> Made<Value>;

/// What came out of it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// What the work answered.
    pub(crate) value: Value,
    /// CPU seconds of the whole process, loading included.
    pub(crate) cpu: f64,
    /// The most memory that it held at once, in bytes; none where the system doesn't tell.
    pub(crate) peak: Option<f64>,
}

impl Told {
    /// A number that the work answered.
    pub(crate) fn number(&self, name: &str) -> Made<f64> {
        let number = self.value.get(name).and_then(Value::as_f64);
        number.ok_or_else(|| format!("the process told no number `{name}`: {}", self.value).into())
    }

    /// What each side took in each round, which the work answered as `rounds`.
    pub(crate) fn rounds<const SIDES: usize>(&self) -> Made<[Vec<f64>; SIDES]> {
        let rounds: Vec<Vec<f64>> =
            serde_json::from_value(self.value.get("rounds").cloned().unwrap_or_default())?;
        rounds.try_into().map_err(|_| "a side is missing".into())
    }

    /// The most memory that it held at once, in bytes.
    pub(crate) fn peak(&self) -> Made<f64> {
        self.peak.ok_or_else(|| "this system doesn't tell the peak memory of a process".into())
    }
}

/// Runs this program again as a process that does one work, and waits for it.
pub(crate) fn call(name: &str, args: &[&str]) -> Made<Told> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(ARGUMENT).arg(name).args(args);
    run(command)
}

/// Runs a program whose last line on standard output is a JSON object with the members `value`, `cpu` (seconds)
/// and `peak` (bytes). What it says on standard error goes through.
pub(crate) fn run(mut command: Command) -> Made<Told> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("{command:?} ended with {}: {text}", output.status).into());
    }
    let told: Value = serde_json::from_str(text.lines().last().unwrap_or_default())?;
    let cpu = told.get("cpu").and_then(Value::as_f64).ok_or("a process that tells no CPU time")?;
    let value = told.get("value").cloned().unwrap_or_default();
    Ok(Told { value, cpu, peak: told.get("peak").and_then(Value::as_f64) })
}

/// The process's side: does the work that is named first and tells what came out.
pub(crate) fn work(all: &[(&str, Work)], args: &[String]) -> Made<()> {
    let (name, rest) = args.split_first().ok_or("no work was named")?;
    let work = all.iter().find(|(known, _)| known == name).map(|(_, work)| work);
    let value = work.ok_or_else(|| format!("there is no work `{name}`"))?(rest)?;
    println!("{}", json!({ "value": value, "cpu": cpu_seconds()?, "peak": peak_memory() }));
    Ok(())
}

/// Does nothing: what a process costs that is only there.
pub(crate) fn empty(_: &[String]) -> Made<Value> {
    Ok(Value::Null)
}

/// CPU seconds of this process so far, all its threads together, in user and system mode.
#[cfg(unix)]
pub(crate) fn cpu_seconds() -> Made<f64> {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// CPU seconds of this process so far.
#[cfg(not(unix))]
pub(crate) fn cpu_seconds() -> Made<f64> {
    Err("CPU time is measured on Unix only".into())
}

/// The most memory this process held at once so far, in bytes, where `/proc` tells it.
pub(crate) fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_tells_its_memory_and_its_time() {
        let before = cpu_seconds().unwrap();
        let mut sum = 0_u64;
        while cpu_seconds().unwrap() - before < 0.02 {
            sum = sum.wrapping_mul(31).wrapping_add(7);
        }
        std::hint::black_box(sum);
        if cfg!(target_os = "linux") {
            let held = peak_memory().unwrap();
            let more = std::hint::black_box(vec![1_u8; 64 << 20]);
            let grown = peak_memory().unwrap() - held;
            assert!(grown > (32 << 20) as f64, "{grown} after {} bytes", more.len());
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_a_process_says_is_read() {
        let say = |text: &str| {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(text);
            run(shell)
        };
        let told = say(r#"echo chatter; echo '{"value":{"n":7},"cpu":0.5,"peak":1024}'"#).unwrap();
        assert_eq!((told.number("n").unwrap(), told.cpu, told.peak().unwrap()), (7.0, 0.5, 1024.0));
        assert!(told.number("m").is_err());
        assert!(say("exit 3").unwrap_err().to_string().contains("exit status: 3"));
        assert!(say("echo '{}'").is_err() && say("true").is_err());
    }

    #[test]
    fn only_known_work_is_done() {
        let unknown = work(&[("empty", empty)], &["else".to_owned()]).unwrap_err();
        assert_eq!(unknown.to_string(), "there is no work `else`");
        assert!(work(&[], &[]).is_err());
    }
}
