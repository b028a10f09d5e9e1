//! What the tills of a shop told, from the first to the last.

use crate::line::Line;
use crate::{Ack, Answer, Deed, Shop};
use std::collections::{BTreeMap, HashMap};

/// A till from its birth to its death. The one who looks at the file after a kill is one, too.
#[derive(Clone, Debug)]
pub struct Life {
    /// When it began, counted in beginnings and ends.
    pub born: usize,
    /// When it ended.
    pub died: Option<usize>,
    /// The last operation that was known when it began.
    pub after: u64,
    /// The last operation that was found when it had ended.
    pub until: Option<u64>,
}

/// A request, and its answer if it had one.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who asked.
    pub life: usize,
    /// Its place among the lines of this till.
    pub line: usize,
    /// The key.
    pub key: Option<String>,
    /// What was asked.
    pub deed: Deed,
    /// The line at which the answer was there, and the answer.
    pub answer: Option<(usize, Answer)>,
}

impl Asked {
    /// The receipt, if it was accepted.
    #[must_use]
    pub fn ack(&self) -> Option<&Ack> {
        match &self.answer {
            Some((_, Answer::Done(ack))) => Some(ack),
            _ => None,
        }
    }
}

/// All that was told.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The tills.
    pub lives: Vec<Life>,
    /// Their requests.
    pub asked: Vec<Asked>,
    calls: HashMap<(usize, u64), usize>,
    lines: HashMap<usize, usize>,
    clock: usize,
    /// Keys whose answer nobody has, and when their last asker ended.
    open: BTreeMap<String, (Deed, usize)>,
}

impl History {
    /// A till begins, when this is the last operation known.
    pub fn born(&mut self, last: u64) -> usize {
        self.clock += 1;
        self.lives.push(Life { born: self.clock, died: None, after: last, until: None });
        self.lives.len() - 1
    }

    /// A till has ended, and told its last line. Tells what it had under way.
    pub fn died(&mut self, life: usize) -> Vec<&'static str> {
        self.clock += 1;
        self.lives[life].died = Some(self.clock);
        let mut open = Vec::new();
        for asked in self.asked.iter().filter(|asked| asked.life == life && asked.answer.is_none()) {
            open.push(asked.deed.kind(asked.key.is_some()));
            if let Some(key) = &asked.key
                && !self.asked.iter().any(|other| other.key.as_ref() == Some(key) && other.ack().is_some())
            {
                self.open.insert(key.clone(), (asked.deed.clone(), self.clock));
            }
        }
        open
    }

    /// The last operation, as it was found after the tills had ended that have by now.
    pub fn found(&mut self, last: u64) {
        for life in self.lives.iter_mut().filter(|life| life.died.is_some()) {
            life.until.get_or_insert(last);
        }
    }

    /// Takes a line of a till.
    ///
    /// # Panics
    /// When it answers what nobody asked.
    pub fn tell(&mut self, life: usize, line: &Line) {
        let at = self.lines.entry(life).or_default();
        *at += 1;
        let line_number = *at;
        match line {
            Line::Opening | Line::Opened | Line::Ready | Line::Closing => {}
            Line::Ask { call, key, deed } => {
                self.calls.insert((life, *call), self.asked.len());
                let (key, deed) = (key.clone(), deed.clone());
                self.asked.push(Asked { life, line: line_number, key, deed, answer: None });
            }
            Line::Got { call, answer } => {
                let asked = &mut self.asked[self.calls[&(life, *call)]];
                assert!(asked.answer.is_none(), "answered twice: {asked:?}");
                asked.answer = Some((line_number, answer.clone()));
                let born = self.lives[life].born;
                if let Some(key) = &asked.key
                    && let Some((_, ended)) = self.open.get(key)
                    // A refusal tells nothing of what the same request did later.
                    && (matches!(answer, Answer::Done(_)) || *ended < born)
                {
                    self.open.remove(key);
                }
            }
        }
    }

    /// Asks on behalf of a till that is no process of its own.
    pub fn act(&mut self, life: usize, shop: &Shop, key: Option<&str>, deed: &Deed) -> Answer {
        let call = self.asked.len() as u64;
        self.tell(life, &Line::Ask { call, key: key.map(str::to_owned), deed: deed.clone() });
        let answer = deed.give(shop, key);
        self.tell(life, &Line::Got { call, answer: answer.clone() });
        answer
    }

    /// The requests under a key whose answer nobody has.
    #[must_use]
    pub fn open(&self) -> Vec<(String, Deed)> {
        self.open.iter().map(|(key, (deed, _))| (key.clone(), deed.clone())).collect()
    }

    /// Whether a line of a till certainly came before one of, perhaps, another till.
    #[must_use]
    pub fn precedes(&self, (life, line): (usize, usize), (later, at): (usize, usize)) -> bool {
        if life == later {
            return line < at;
        }
        self.lives[life].died.is_some_and(|died| died < self.lives[later].born)
    }

    /// The requests under each key, in the order in which they were told.
    #[must_use]
    pub fn by_key(&self) -> BTreeMap<&str, Vec<&Asked>> {
        let mut by_key: BTreeMap<&str, Vec<&Asked>> = BTreeMap::new();
        for asked in &self.asked {
            if let Some(key) = &asked.key {
                by_key.entry(key).or_default().push(asked);
            }
        }
        by_key
    }
}
