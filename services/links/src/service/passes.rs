//! Passwords of links: hashed with argon2id away from the async threads, guessed a bounded number
//! of times, and remembered by a signed cookie that says nothing about them.

use std::net::IpAddr;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contracts::links::LinksError;
use hmac::{Hmac, KeyInit as _, Mac as _};
use kernel::{Ctx, Timestamp};
use sha2::Sha256;
use storage::{Db, Tx};
use tokio::sync::{OnceCell, Semaphore};

use crate::domain::network::network;
use crate::domain::route::Route;
use crate::store::limits::Guesser;
use crate::store::{Fail, limits, links, secrets};

/// How many passwords are hashed at once; each takes 19 MiB for some 20 ms.
const HASHES_MAX: usize = 2;
/// How many guesses of one link's password a network has within a window.
const GUESSES_MAX: u32 = 30;
/// How many wrong ones all networks have together: more than the 256 networks of a household's /56
/// can make, so that it takes more than one line to close a link to those who know the password.
const GUESSES_OF_ALL_MAX: u32 = 10_000;
/// How long the window is.
pub(crate) const GUESS_WINDOW: Duration = Duration::from_secs(15 * 60);
/// How long a pass holds.
pub(crate) const PASS_TTL: Duration = Duration::from_secs(60 * 60);

/// What became of a guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Guess {
    /// It is the password; here is a pass.
    Right(String),
    /// It is not.
    Wrong,
    /// There were too many; seconds to wait.
    TooMany(u64),
}

/// Passwords of links.
pub(crate) struct Passes {
    db: Db,
    ctx: Ctx,
    hashing: Semaphore,
    key: OnceCell<[u8; 32]>,
}

impl Passes {
    pub(crate) fn new(db: Db, ctx: Ctx) -> Self {
        Self {
            db,
            ctx,
            hashing: Semaphore::new(HASHES_MAX),
            key: OnceCell::new(),
        }
    }

    /// The argon2id hash of a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, LinksError> {
        let mut salt = [0_u8; 16];
        self.ctx.random.fill(&mut salt);
        self.blocking(move || {
            let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
            hashed
                .map(|hash| hash.to_string())
                .map_err(|_| defect("password"))
        })
        .await?
    }

    /// Counts a guess, and only then looks whether it is right.
    pub(crate) async fn guess(
        &self,
        route: &Route,
        address: IpAddr,
        password: String,
    ) -> Result<Guess, LinksError> {
        let num = route.num;
        let by = self.guesser(address).await?;
        let counter = by.clone();
        // The count is in the database and committed before the comparison, so it holds over all
        // replicas, and whoever asks a thousand times at once has thirty guesses too.
        let count = async move |tx: &mut Tx<'_>| {
            let (guesses, wait) = limits::guess(tx, num, &counter, GUESS_WINDOW).await?;
            if guesses > GUESSES_MAX {
                return Ok((Some(wait), None));
            }
            // Refused guesses do not come here: no network uses up what belongs to all.
            let everybody = Guesser::EVERYBODY;
            let (guesses, wait) = limits::guess(tx, num, &everybody, GUESS_WINDOW).await?;
            let wait = (guesses > GUESSES_OF_ALL_MAX).then_some(wait);
            Ok::<_, Fail>((wait, links::password(tx, num).await?))
        };
        let (wait, hash) = self.db.write(count).await?;
        if let Some(wait) = wait {
            return Ok(Guess::TooMany(wait));
        }
        let Some(hash) = hash else {
            return Ok(Guess::Wrong);
        };
        let right = self.blocking(move || {
            let Ok(hash) = PasswordHash::new(&hash) else {
                return false;
            };
            Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        });
        if !right.await? {
            return Ok(Guess::Wrong);
        }
        // Those who know the password use up nothing, however many they are.
        let give_back = async move |tx: &mut Tx<'_>| {
            for by in [&by, &Guesser::EVERYBODY] {
                limits::give_back_guess(tx, num, by, GUESS_WINDOW).await?;
            }
            Ok::<_, Fail>(())
        };
        self.db.write(give_back).await?;
        Ok(Guess::Right(self.pass(route).await?))
    }

    async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, LinksError> {
        let _permit = self
            .hashing
            .acquire()
            .await
            .map_err(|_| defect("semaphore"))?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| defect("password"))
    }

    /// A pass: when it ends, and a signature over that, the link and the version of its password.
    async fn pass(&self, route: &Route) -> Result<String, LinksError> {
        let until = self.ctx.now().plus(PASS_TTL).secs();
        let mac = self.sign(route, until).await?.finalize().into_bytes();
        let mut bytes = until.to_be_bytes().to_vec();
        bytes.extend_from_slice(&mac);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether `pass` opens the link now. Compared in constant time.
    pub(crate) async fn opens(&self, route: &Route, pass: &str) -> Result<bool, LinksError> {
        let bytes = URL_SAFE_NO_PAD.decode(pass).unwrap_or_default();
        let Some((until, mac)) = bytes.split_first_chunk::<8>() else {
            return Ok(false);
        };
        let until = i64::from_be_bytes(*until);
        let fresh = Timestamp::from_secs(until) > self.ctx.now();
        Ok(fresh && self.sign(route, until).await?.verify_slice(mac).is_ok())
    }

    async fn sign(&self, route: &Route, until: i64) -> Result<Hmac<Sha256>, LinksError> {
        let mut mac = self.mac().await?;
        mac.update(b"pass");
        mac.update(&route.id.as_u128().to_be_bytes());
        mac.update(&route.password_version.unwrap_or(0).to_be_bytes());
        mac.update(&until.to_be_bytes());
        Ok(mac)
    }

    /// A visitor's network as it is kept: nobody without the key can say which one it is.
    async fn guesser(&self, address: IpAddr) -> Result<Guesser, LinksError> {
        let mut mac = self.mac().await?;
        mac.update(b"address");
        mac.update(network(address).to_string().as_bytes());
        Ok(Guesser::network(mac.finalize().into_bytes()[..16].to_vec()))
    }

    async fn mac(&self) -> Result<Hmac<Sha256>, LinksError> {
        let read = async move |tx: &mut Tx<'_>| Ok::<_, Fail>(secrets::secret(tx, "passes").await?);
        let key = self.key.get_or_try_init(|| self.db.write(read)).await?;
        Hmac::new_from_slice(key).map_err(|_| defect("key"))
    }
}

fn defect(what: &str) -> LinksError {
    LinksError::Internal {
        what: what.to_owned(),
    }
}
