//! A command, as a store runs it.

use super::{Change, Decision, Load, Loaded};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What a command reads, and what it then decides.
/// See [`Command`].
pub trait Decide: Send + Sync {
    /// What it reads.
    /// See [`Command`].
    fn load(&self) -> &Load;

    /// What comes of what was loaded: a pure function. A retry decides again.
    /// See [`Command`].
    fn decide(&self, loaded: &Loaded) -> Decision;
}

/// A command that is lent to a store which answers at once: it is run no more than once, and by nobody else meanwhile.
/// See [`Store::run_now`](super::Store::run_now).
pub trait Lent {
    /// What it reads.
    /// See [`Store::run_now`](super::Store::run_now).
    fn load(&self) -> &Load;

    /// Does the next part of what rests on nothing that is loaded; no, if nothing is left. A store has that done while it
    /// waits for memory, and the rest before it loads: only then all that is to be loaded is named.
    /// See [`Store::run_now`](super::Store::run_now).
    fn ahead(&mut self) -> bool {
        false
    }

    /// What comes of what was loaded.
    /// See [`Store::run_now`](super::Store::run_now).
    fn decide(&mut self, loaded: &Loaded) -> Decision;

    /// Takes back the change that it decided on, when it is written: whoever made it may use its lists again.
    /// See [`Store::run_now`](super::Store::run_now).
    fn take_back(&mut self, change: Box<Change>) {
        drop(change);
    }
}

/// A command, as a store runs it. Whoever may have to run it again keeps a clone.
///
/// ```
/// use passes_core::store::{Answer, Command, Decision, Load, Store, memory::Memory, wait};
/// use passes_core::{Refusal, id::BusinessId};
/// let refused = |_: &_| Decision::Refused(vec![Refusal::UnknownCode], None);
/// let command = Command::new(Load::new(BusinessId::STORE), refused);
/// let answer = wait(Memory::new().run(command))?;
/// assert!(matches!(answer, Answer::Refused(why) if why == [Refusal::UnknownCode]));
/// # Ok::<(), passes_core::store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct Command(Arc<dyn Decide>);

impl Command {
    /// A command that reads this and then decides so.
    /// See [`Command`].
    #[must_use]
    pub fn new(load: Load, decide: impl FnMut(&Loaded) -> Decision + Send + 'static) -> Self {
        Self(Arc::new(Given { load, decide: Mutex::new(decide) }))
    }

    /// What it reads.
    ///
    /// ```
    /// use passes_core::store::{Command, Decision, Load};
    /// # let business = passes_core::id::BusinessId::STORE;
    /// let command = Command::new(Load::new(business), |_| Decision::Replayed);
    /// assert_eq!(command.load().business, business);
    /// ```
    #[must_use]
    pub fn load(&self) -> &Load {
        self.0.load()
    }

    /// What it decides.
    ///
    /// ```
    /// use passes_core::store::{Command, Decision, Load, Loaded};
    /// # let business = passes_core::id::BusinessId::STORE;
    /// let command = Command::new(Load::new(business), |_| Decision::Replayed);
    /// assert!(matches!(command.decide(&Loaded::default()), Decision::Replayed));
    /// ```
    #[must_use]
    pub fn decide(&self, loaded: &Loaded) -> Decision {
        self.0.decide(loaded)
    }
}

impl Decide for Command {
    fn load(&self) -> &Load {
        self.0.load()
    }

    fn decide(&self, loaded: &Loaded) -> Decision {
        self.0.decide(loaded)
    }
}

impl Lent for Command {
    fn load(&self) -> &Load {
        self.0.load()
    }

    fn decide(&mut self, loaded: &Loaded) -> Decision {
        self.0.decide(loaded)
    }
}

impl<D: Decide + 'static> From<Arc<D>> for Command {
    fn from(decide: Arc<D>) -> Self {
        Self(decide)
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Command").field(self.load()).finish()
    }
}

/// A command in two parts.
struct Given<F> {
    load: Load,
    decide: Mutex<F>,
}

impl<F: FnMut(&Loaded) -> Decision + Send> Decide for Given<F> {
    fn load(&self) -> &Load {
        &self.load
    }

    fn decide(&self, loaded: &Loaded) -> Decision {
        // A decision that panicked may be asked again.
        let mut decide = self.decide.lock().unwrap_or_else(PoisonError::into_inner);
        (*decide)(loaded)
    }
}
