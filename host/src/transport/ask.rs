//! One small request to a token service, and its small answer: what credentials are made of.

use std::{future::poll_fn, time::Duration};

use super::{connect, egress::Policy, http::Outgoing, pool::Pool, tls};

/// An answer of such a service is a few kilobytes.
const LIMIT: usize = 64 << 10;
/// For an answer, the connection included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends under the rules that hold for a provider that the operator names: the address is his, or the service's own. Status and text,
/// or why there is none.
pub(super) async fn ask(request: Outgoing) -> Result<(u16, String), String> {
    let policy = Policy::new(&request.url).map_err(|denied| denied.to_string())?;
    let pool = Pool::new(connect::connector(policy, tls::config(&tls::Rules::default())?));
    let exchange = async {
        let mut reply = pool.send(request, None).await.map_err(|failed| failed.reason)?;
        let mut all = Vec::new();
        while let Some(piece) = poll_fn(|context| reply.body.poll_next(context)).await {
            let piece = piece.map_err(|()| "its answer is not whole".to_owned())?;
            if all.len() + piece.len() > LIMIT {
                return Err("its answer is too long".to_owned());
            }
            all.extend_from_slice(&piece);
        }
        Ok((reply.status.as_u16(), String::from_utf8_lossy(&all).into_owned()))
    };
    let answered = tokio::time::timeout(PATIENCE, exchange).await;
    answered.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")))
}
