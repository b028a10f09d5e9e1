//! Commands that are lent to a store which answers at once.

use super::{Begun, Decides, Order, Told, spare};
use crate::service::receipt::{Done, Receipt};
use crate::service::{Error, Inner, Passes};
use crate::store::{Answer, Change, Decision, Lent, Load, Loaded, StoreError};

/// A command that is lent to a store which answers at once.
pub(crate) struct Loan<'a, 'b, F, T> {
    inner: &'a Inner,
    order: &'a mut Order<'b>,
    decide: &'a F,
    told: Told<T>,
}

impl Passes {
    /// Lends a command to the store. Nothing, if the store has to be given it.
    pub(crate) fn lend<'a, T, F>(&'a self, order: &mut Order<'_>, decide: &F) -> Option<Begun<'a, T>>
    where
        T: Done,
        F: Decides<T>,
    {
        let mut loan = self.loan(order, decide);
        let answer = self.inner.store.run_now(&mut loan)?;
        let answer = self.repaid(&mut loan, answer);
        spare::keep_docs(std::mem::take(&mut order.load.docs));
        Some(if self.has_to_flush() {
            Begun::Later(Box::pin(async move {
                self.flush_some().await;
                answer
            }))
        } else {
            Begun::Over(answer)
        })
    }

    /// A command as it is lent.
    pub(crate) fn loan<'a, 'b, F, T>(
        &'a self,
        order: &'a mut Order<'b>,
        decide: &'a F,
    ) -> Loan<'a, 'b, F, T> {
        Loan { inner: &self.inner, order, decide, told: Told::default() }
    }

    /// What a command that was lent came to.
    pub(crate) fn repaid<F, T: Done>(
        &self,
        loan: &mut Loan<'_, '_, F, T>,
        answer: Result<Answer, StoreError>,
    ) -> Result<Receipt<T>, Error> {
        self.finish(&loan.order.env, &mut loan.told, answer?)
    }
}

impl<F: Decides<T>, T: Done> Lent for Loan<'_, '_, F, T> {
    fn load(&self) -> &Load {
        &self.order.load
    }

    fn ahead(&mut self) -> bool {
        self.order.ahead(self.inner, self.decide).unwrap_or_else(|error| {
            self.told.error = Some(error);
            false
        })
    }

    fn decide(&mut self, loaded: &Loaded) -> Decision {
        if self.told.error.is_some() {
            return Decision::Refused(Vec::new(), None);
        }
        let judged = self.order.judge(self.inner, self.decide, loaded, &mut self.told);
        self.told.decision(judged)
    }

    fn take_back(&mut self, change: Box<Change>) {
        spare::keep(change);
    }
}
