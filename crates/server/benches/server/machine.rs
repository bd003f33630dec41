//! The machine: which processor runs what, and what the system says about a process.

use anyhow::{Context, bail};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::{fs, path::Path, time::Duration};

/// The length of the system's clock ticks in which processor time is counted (`USER_HZ`, the same on every Linux).
const TICK: Duration = Duration::from_millis(10);

/// Who runs where.
pub(crate) struct Pins {
    all: CpuSet,
    /// The server's processor and the load's; `None` where they share.
    apart: Option<(usize, usize)>,
}

impl Pins {
    /// One processor for the server and another for the load, if there are two and it is wanted.
    pub(crate) fn choose(unpinned: bool) -> anyhow::Result<Self> {
        let all = sched_getaffinity(None)?;
        let mut processors = (0..CpuSet::MAX_CPU).filter(|number| all.is_set(*number));
        let apart = processors.next().zip(processors.next()).filter(|_| !unpinned);
        Ok(Self { all, apart })
    }

    /// In words.
    pub(crate) fn describe(&self) -> String {
        match self.apart {
            Some((server, load)) => format!("server on processor {server} and load on {load}"),
            None => "server and load on the same processors".to_owned(),
        }
    }

    /// Runs `start`, which starts a child, on the server's processor, and stays on the load's afterwards.
    ///
    /// A child has its parent's processors, and everything in it that counts processors then sees one.
    pub(crate) fn start<T>(&self, start: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let Some((server, load)) = self.apart else { return start() };
        sched_setaffinity(None, &only(server))?;
        let started = start();
        sched_setaffinity(None, &only(load))?;
        started
    }

    /// Runs `work` on all processors.
    pub(crate) fn on_all<T>(&self, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let before = sched_getaffinity(None)?;
        sched_setaffinity(None, &self.all)?;
        let done = work();
        sched_setaffinity(None, &before)?;
        done
    }
}

fn only(processor: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(processor);
    set
}

/// Which processor, how many of it, and which system.
pub(crate) fn describe() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    let count = info.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{count} × {}, Linux {}", model.unwrap_or("unknown processor"), kernel.trim())
}

/// The kind of file system that `path` is on.
pub(crate) fn file_system(path: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let under = mounts.filter(|(folder, _)| path.starts_with(folder));
    under.max_by_key(|(folder, _)| folder.len()).map_or_else(|| "unknown".to_owned(), |(_, kind)| kind.to_owned())
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// What it has in memory now.
    pub(crate) resident: u64,
    /// The most it ever had.
    pub(crate) peak: u64,
    /// What it has to itself, and its share of the rest.
    pub(crate) proportional: u64,
}

/// What the system says about the memory of a process.
pub(crate) fn memory(process: u32) -> anyhow::Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let shares = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    Ok(Memory {
        resident: kibibytes(&status, "VmRSS:")?,
        peak: kibibytes(&status, "VmHWM:")?,
        proportional: kibibytes(&shares, "Pss:")?,
    })
}

fn kibibytes(text: &str, name: &str) -> anyhow::Result<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    Ok(value.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// How much processor time a process has had.
pub(crate) fn processor_time(process: u32) -> anyhow::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The program's name comes second, in parentheses, and may hold anything.
    let (_, numbers) = text.rsplit_once(") ").context("no name")?;
    let mut numbers = numbers.split(' ').skip(11).map(str::parse::<u32>);
    let (Some(user), Some(system)) = (numbers.next(), numbers.next()) else { bail!("no times") };
    Ok(TICK * (user? + system?))
}

/// How many threads of a process have a name that begins like this.
pub(crate) fn threads_named(process: u32, name: &str) -> anyhow::Result<usize> {
    let mut count = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let found = fs::read_to_string(task?.path().join("comm")).unwrap_or_default();
        count += usize::from(found.starts_with(name));
    }
    Ok(count)
}

/// How many transactions the data file beside this path has seen since it was opened, from the header of the index that
/// SQLite keeps of its log (`iChange`; sqlite.org/walformat.html, section 2.1).
pub(crate) fn commits(data_file: &Path) -> Option<u32> {
    let mut index = data_file.as_os_str().to_owned();
    index.push("-shm");
    let bytes = fs::read(index).ok()?;
    bytes.get(8..12)?.try_into().ok().map(u32::from_ne_bytes)
}
