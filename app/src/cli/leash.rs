//! The leash of a child: its standard input is a pipe that nobody writes to, and that ends when the
//! parent does, however that ends.

use std::os::fd::AsFd;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// Resolves when whoever holds the other end of standard input has let go or has ended.
/// Never, if standard input is no pipe.
pub(crate) async fn let_go() {
    // Read as a pipe: tokio's own standard input would hold up the end of the runtime.
    let input = std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .and_then(Receiver::from_owned_fd);
    let Ok(mut input) = input else {
        return std::future::pending().await;
    };
    let mut byte = [0_u8; 1];
    while matches!(input.read(&mut byte).await, Ok(read) if read > 0) {}
}
