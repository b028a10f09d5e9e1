//! Plans that touch few rows, and what they rest on besides.

use crate::counted::ALONE;
use crate::plan::{PassTouch, Plan};
use crate::sql::FEW;
use passes_core::store::{DocKey, Expect};

impl Plan<'_> {
    /// Documents that the changes rest on, too, as they were read.
    pub(crate) fn rest_on(&mut self, docs: &[(DocKey, u32)]) {
        for (key, version) in docs {
            let written = self.docs.iter().any(|(doc, from)| (doc.key, from) == (*key, version));
            let relied = (*key, Expect::Version(*version));
            if !written && !self.expect.contains(&relied) {
                // One that is there twice is judged once.
                self.seen.push((*key, *version));
            }
        }
    }

    /// Whether it is one command that touches few rows, each for itself.
    pub(crate) fn is_small(&self) -> bool {
        let few = |count: usize| count <= ALONE;
        let puts = |of: &[PassTouch<'_>]| of.iter().filter(|touch| touch.put.is_some()).count();
        let credit_puts = self.credits.iter().filter(|touch| touch.put.is_some()).count();
        let (passes, credits) = (puts(&self.passes), credit_puts);
        self.operations.len() == 1
            && few(passes)
            && few(self.passes.len().saturating_sub(passes))
            && few(credits)
            && few(self.credits.len().saturating_sub(credits))
            && self.ranges.is_empty()
            && self.named.is_empty()
            && self.judged.is_empty()
            && self.entries.len() <= FEW
    }
}
