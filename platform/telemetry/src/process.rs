//! What the operating system says about this process, read from `/proc` at each render.

use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::{Collected, Metrics};

/// The kernel reports times in hundredths of a second on every architecture that it runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Adds memory, CPU, threads, open files and the start time to each render.
/// On a system without `/proc` it adds nothing.
pub fn register(metrics: &Metrics) {
    metrics.collect(fill);
}

fn fill(out: &mut Collected) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(kib) = field(&status, "VmRSS:") {
        let help = "Resident memory of the process.";
        out.gauge("process_resident_memory_bytes", help, &[], kib * 1024.0);
    }
    if let Some(threads) = field(&status, "Threads:") {
        out.gauge("process_threads", "Threads of the process.", &[], threads);
    }
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    if let Some(cpu) = cpu_seconds() {
        let help = "CPU time of the process.";
        out.counter("process_cpu_seconds_total", help, &[], cpu);
    }
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    if let Some(bytes) = field(&io, "write_bytes:") {
        let help = "Bytes that the process caused to be written to disks.";
        out.counter("process_disk_written_bytes_total", help, &[], bytes);
    }
    let system = fs::read_to_string("/proc/stat").unwrap_or_default();
    if let (Some(boot), Some(ticks)) = (field(&system, "btime"), stat_field(&stat, 22)) {
        let help = "When the process started, in seconds since 1970.";
        out.gauge(
            "process_start_time_seconds",
            help,
            &[],
            boot + ticks / TICKS_PER_SECOND,
        );
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        // The directory being read is open too.
        let open = u32::try_from(files.count().saturating_sub(1)).unwrap_or(u32::MAX);
        out.gauge(
            "process_open_fds",
            "Open files of the process.",
            &[],
            f64::from(open),
        );
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(max) = field(&limits, "Max open files") {
        out.gauge(
            "process_max_fds",
            "Files that the process may open.",
            &[],
            max,
        );
    }
}

/// The number after `name` at the start of a line.
fn field(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// To the nanosecond: hundredths, as in `/proc/self/stat`, are too coarse for a short measurement.
fn cpu_seconds() -> Option<f64> {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).ok()?;
    Some(Duration::from(time).as_secs_f64())
}

/// A field of `/proc/self/stat`, numbered as in proc(5). Counting starts after the program's name,
/// which may itself contain spaces and brackets.
fn stat_field(stat: &str, number: usize) -> Option<f64> {
    let after_name = stat.get(stat.rfind(')')? + 1..)?;
    after_name.split_whitespace().nth(number - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_brackets_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 150 0 0 20 0 4 0 5000 0 0";
        assert_eq!(stat_field(stat, 22), Some(5_000.0));
    }

    #[test]
    fn this_process_has_memory_and_threads_and_started_in_the_past() {
        let metrics = Metrics::new();
        register(&metrics);
        let text = metrics.render();
        let value = |name: &str| {
            let line = text
                .lines()
                .find_map(|l| l.strip_prefix(&format!("{name} ")));
            line.and_then(|v| v.parse::<f64>().ok())
                .unwrap_or_else(|| panic!("no {name}"))
        };
        assert!(value("process_resident_memory_bytes") > 100_000.0);
        assert!(value("process_threads") >= 1.0);
        assert!(value("process_open_fds") >= 3.0);
        assert!(value("process_start_time_seconds") > 1.6e9);
        assert!(value("process_cpu_seconds_total") > 0.0);
        assert!(value("process_disk_written_bytes_total") >= 0.0);
    }
}
