//! Redeeming the passes of a list.

use super::{Asked, Code, Redeem, Redeemed};
use crate::operation::By;
use crate::service::engine::{Env, Kept, Left, Order};
use crate::service::{Error, Passes, Receipt};
use crate::store::{Lent, StoreError};

/// The answer of each.
type Answers = Vec<Result<Receipt<Redeemed>, Error>>;

/// What a store that answers too few commands is told as.
fn missing() -> StoreError {
    StoreError::Backend("a command without an answer".into())
}

impl Passes {
    /// Redeems what the store is given at once: the first of a list, or more of it.
    pub(super) async fn some(
        &self,
        requests: &[(By, Redeem)],
        stream: &mut blake3::OutputReader,
        first: bool,
    ) -> Result<Answers, Error> {
        let codes: Vec<_> = requests.iter().map(|(by, request)| self.presented(by, request)).collect();
        let good = || {
            requests.iter().zip(&codes).filter_map(|((by, request), code)| {
                code.as_ref().ok().map(|code| (by, Asked { request, code }))
            })
        };
        let (bys, asked): (Vec<&By>, Vec<Asked<&Redeem, &Code>>) = good().unzip();
        let (now, mut seeds) = (self.inner.clock.now(), vec![[0; 32]; asked.len()]);
        stream.fill(seeds.as_flattened_mut());
        let mut orders = Vec::with_capacity(asked.len());
        for ((by, asked), seed) in bys.into_iter().zip(&asked).zip(seeds) {
            orders.push(asked.order(Env { now, seed, ..Env::early(by) }, Left::Key));
        }
        let answers = match self.lend_all(&mut orders, &asked) {
            Some(answers) => answers,
            None => match self.give_all(orders, &asked).await {
                Err(error) if first => return Err(error),
                // Those before have landed, and are told so.
                Err(error) => vec![Err(error); asked.len()],
                Ok(answers) => answers,
            },
        };
        let mut answers = answers.into_iter();
        let answer = |code: Result<Code, Error>| {
            code.and_then(|_| answers.next().unwrap_or_else(|| Err(missing().into())))
        };
        Ok(codes.into_iter().map(answer).collect())
    }

    /// Lends redemptions to the store. Nothing, if the store has to be given them.
    fn lend_all(&self, orders: &mut [Order<'_>], asked: &[Asked<&Redeem, &Code>]) -> Option<Answers> {
        let mut loans: Vec<_> =
            orders.iter_mut().zip(asked).map(|(order, asked)| self.loan(order, asked)).collect();
        let mut lent: Vec<_> = loans.iter_mut().map(|loan| loan as &mut dyn Lent).collect();
        let answers = self.inner.store.run_all_now(&mut lent)?;
        Some(loans.iter_mut().zip(answers).map(|(loan, answer)| self.repaid(loan, answer)).collect())
    }

    /// Gives redemptions to a store that doesn't take loans.
    async fn give_all(
        &self,
        orders: Vec<Order<'_>>,
        asked: &[Asked<&Redeem, &Code>],
    ) -> Result<Answers, Error> {
        let jobs: Vec<_> = orders
            .into_iter()
            .zip(asked)
            .map(|(order, asked)| self.prepare(order, asked.to_owned()))
            .collect();
        let commands = jobs.iter().flatten().map(Kept::command).collect();
        let mut answers = self.inner.store.run_all(commands).await?.into_iter();
        let mut told = Vec::with_capacity(jobs.len());
        for job in jobs {
            let answer = job.map(|job| (answers.next().unwrap_or_else(|| Err(missing())), job));
            told.push(match answer {
                Ok((Ok(answer), job)) => self.finish(job.env(), &mut job.told(), answer),
                // Boxed, because it is rare.
                Ok((Err(StoreError::InDoubt), job)) if job.is_keyed() => {
                    Box::pin(self.drive(job, true)).await
                }
                Ok((Err(error), _)) => Err(error.into()),
                Err(error) => Err(error),
            });
        }
        Ok(told)
    }
}
