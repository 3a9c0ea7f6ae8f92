//! What is counted before it is granted: limited clicks and guesses of passwords.

use std::time::Duration;

use storage::{Result, Sql, Tx};

/// The condition stands in the update itself: the row's lock makes it exact, whoever asks.
const USE: Sql =
    Sql::both("UPDATE link_limits SET used = used + 1 WHERE num = $1 AND used < max_clicks");
const CLAIM_USE: Sql =
    Sql::both("INSERT INTO link_uses (hop, at) VALUES ($1, $2) ON CONFLICT (hop) DO NOTHING");
const GIVE_BACK: Sql = Sql::both("DELETE FROM link_uses WHERE hop = $1");
const FORGET_USES: Sql = Sql::both("DELETE FROM link_uses WHERE at < $1");
const LEFT: Sql = Sql::both("SELECT max_clicks - used FROM link_limits WHERE num = $1");
const GUESS: Sql = Sql::both(
    "INSERT INTO password_guesses (num, address, began_at, guesses) VALUES ($1, $2, $3, 1)
     ON CONFLICT (num, address) DO UPDATE SET
       guesses = CASE WHEN password_guesses.began_at <= $4 THEN 1
                      ELSE password_guesses.guesses + 1 END,
       began_at = CASE WHEN password_guesses.began_at <= $4 THEN excluded.began_at
                       ELSE password_guesses.began_at END
     RETURNING guesses, began_at",
);
/// A guess of an earlier window is not given back to this one.
const GIVE_BACK_GUESS: Sql = Sql::both(
    "UPDATE password_guesses SET guesses = guesses - 1
     WHERE num = $1 AND address = $2 AND began_at > $3 AND guesses > 0",
);
const FORGET_GUESSES: Sql = Sql::both("DELETE FROM password_guesses WHERE began_at <= $1");

pub(super) const STATEMENTS: &[Sql] = &[
    USE,
    CLAIM_USE,
    GIVE_BACK,
    FORGET_USES,
    LEFT,
    GUESS,
    GIVE_BACK_GUESS,
    FORGET_GUESSES,
];

/// Uses up one click for request `hop`, 0 for one without a number. False: none is left.
///
/// A request that was granted a click by a replica that died before it answered is granted the
/// same one by the replica that is asked next.
pub(crate) async fn use_click(tx: &mut Tx<'_>, num: i64, hop: u64) -> Result<bool> {
    let hop = hop.cast_signed();
    let now = tx.now();
    if hop != 0 && tx.execute(&CLAIM_USE, &[&hop, &now]).await? == 0 {
        return Ok(true);
    }
    let used = tx.execute(&USE, &[&num]).await? > 0;
    if !used && hop != 0 {
        tx.execute(&GIVE_BACK, &[&hop]).await?;
    }
    Ok(used)
}

/// Forgets which requests were granted clicks before `before`.
pub(crate) async fn forget_uses(tx: &mut Tx<'_>, before: kernel::Timestamp) -> Result<u64> {
    tx.execute(&FORGET_USES, &[&before]).await
}

/// How many clicks are left, if they are limited.
pub(crate) async fn left(tx: &mut Tx<'_>, num: i64) -> Result<Option<i64>> {
    tx.query_opt(&LEFT, &[&num])
        .await?
        .map(|row| row.get(0))
        .transpose()
}

/// Whose guesses are counted together, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guesser(Vec<u8>);

impl Guesser {
    /// Everybody who guesses the password of a link.
    pub(crate) const EVERYBODY: Self = Self(Vec::new());

    /// One network, by its pseudonym.
    pub(crate) const fn network(pseudonym: Vec<u8>) -> Self {
        Self(pseudonym)
    }
}

/// Counts a guess of a link's password; answers how many there were within the window, this one
/// included, and in how many seconds it ends.
pub(crate) async fn guess(
    tx: &mut Tx<'_>,
    num: i64,
    by: &Guesser,
    window: Duration,
) -> Result<(u32, u64)> {
    let now = tx.now();
    let stale = now.minus(window);
    let row = tx.query_one(&GUESS, &[&num, &by.0, &now, &stale]).await?;
    let began: kernel::Timestamp = row.get(1)?;
    let left = began.plus(window).since(now);
    let wait = u64::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX);
    Ok((row.get(0)?, wait.max(1)))
}

/// Takes back that a guess was counted: it was right.
pub(crate) async fn give_back_guess(
    tx: &mut Tx<'_>,
    num: i64,
    by: &Guesser,
    window: Duration,
) -> Result<()> {
    let stale = tx.now().minus(window);
    tx.execute(&GIVE_BACK_GUESS, &[&num, &by.0, &stale])
        .await
        .map(drop)
}

/// Forgets guesses whose window has ended.
pub(crate) async fn forget_guesses(tx: &mut Tx<'_>, window: Duration) -> Result<u64> {
    let stale = tx.now().minus(window);
    tx.execute(&FORGET_GUESSES, &[&stale]).await
}
