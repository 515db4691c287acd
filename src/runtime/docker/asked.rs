//! What an engine was asked to make: it goes on with that though nobody waits for the answer any more, so whoever removes
//! it has to wait until it is there.

use tokio::sync::watch;

use super::DockerError;

/// A request for something, under way or over.
#[derive(Clone, Debug)]
pub(super) struct Asked(watch::Receiver<()>);

impl Asked {
    /// Asks on a task of its own; gives the request, and what waits for its answer.
    pub(super) fn begin<T: Send + 'static>(
        request: impl Future<Output = Result<T, DockerError>> + Send + 'static,
    ) -> (Self, impl Future<Output = Result<T, DockerError>>) {
        let (under_way, seen) = watch::channel(());
        let task = tokio::spawn(async move {
            let answer = request.await;
            drop(under_way);
            answer
        });
        let answer = async move {
            let lost = |_| DockerError::Answer { action: "say what became of it", why: "its own task ended" };
            task.await.map_err(lost)?
        };
        (Self(seen), answer)
    }

    /// Waits until the request is over, as it is for as long as it may take at most.
    ///
    /// Cancel safe.
    pub(super) async fn over(mut self) {
        // Nothing is ever sent: it ends when the task does.
        while self.0.changed().await.is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_request_goes_on_when_nobody_waits_for_its_answer() {
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let (asked, answer) = Asked::begin(async move {
            let _ = gone.await;
            Ok(())
        });
        drop(answer);
        let mut over = std::pin::pin!(asked.clone().over());
        assert!(over.as_mut().now_or_never().is_none());
        go.send(()).unwrap();
        over.await;
        // Whoever comes later finds it over.
        asked.over().await;
    }
}
