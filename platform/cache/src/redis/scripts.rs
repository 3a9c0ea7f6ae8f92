//! The Lua that makes Redis refuse stale values.
//!
//! An entry is a hash: `b` the bytes, `v` their version or the oldest that is still welcome, `x`
//! when they end (by Redis's clock), `e` the epoch of the cache when they were written, `g` a
//! number that each change moves on. Who misses gets epoch and `g` as a token; what was loaded is
//! taken only while both are the same. The hash outlives its bytes by [`super::TOKEN_MS`], longer
//! than a load may take, so that a token never fits a later state.
//!
//! An epoch is the microsecond in which it began, and not a count: one that was lost, because the key
//! was evicted or had not reached the disk, never comes again.

use redis::Script;

const HEAD: &str = "
local e = redis.call('GET', KEYS[1]) or '0'
local h = redis.call('HMGET', KEYS[2], 'e', 'g', 'v', 'x', 'b')
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local g, v = h[2] or '0', tonumber(h[3] or '0')
local live = h[5] and h[1] == e and tonumber(h[4]) > now
local function keep(bytes, version, ttl, generation)
  redis.call('HSET', KEYS[2], 'e', e, 'g', generation, 'v', version,
    'x', string.format('%.0f', now + ttl), 'b', bytes)
  redis.call('PEXPIRE', KEYS[2], string.format('%.0f', ttl + TOKEN_MS))
end
";

const READ: &str = "
return {e, g, live and (h[4] - now) or 0, live and h[5] or false}
";

/// `ARGV`: epoch, generation, version, ttl, bytes.
const FILL: &str = "
local version = tonumber(ARGV[3])
if e ~= ARGV[1] or g ~= ARGV[2] or version < v then return 0 end
keep(ARGV[5], ARGV[3], tonumber(ARGV[4]), g)
return 1
";

/// `ARGV`: version, ttl, bytes.
const PUT: &str = "
if tonumber(ARGV[1]) < v then return 0 end
keep(ARGV[3], ARGV[1], tonumber(ARGV[2]), string.format('%.0f', g + 1))
return 1
";

/// `ARGV`: the oldest version that is still welcome, or nothing.
const FORGET: &str = "
local floor = tonumber(ARGV[1])
if floor and v >= floor and live then return 0 end
redis.call('HDEL', KEYS[2], 'b')
redis.call('HSET', KEYS[2], 'g', string.format('%.0f', g + 1),
  'v', string.format('%.0f', math.max(v, floor or 0)))
redis.call('PEXPIRE', KEYS[2], TOKEN_MS)
return 1
";

const NEW_EPOCH: &str = "
local t = redis.call('TIME')
redis.call('SET', KEYS[1], t[1] .. string.format('%06d', t[2]))
";

/// Begins a new epoch when the content was written under another run of the server: what it has from
/// a disk or from another server may lack the last changes. `KEYS`: the epoch, and where the run
/// stands. `ARGV`: the run now, or nothing when the server does not tell.
const VET: &str = "
if ARGV[1] ~= '' and redis.call('GET', KEYS[2]) == ARGV[1] then return 0 end
NEW_EPOCH
redis.call('SET', KEYS[2], ARGV[1])
return 1
";

pub(super) struct Scripts {
    pub(super) read: Script,
    pub(super) fill: Script,
    pub(super) put: Script,
    pub(super) forget: Script,
    pub(super) vet: Script,
    pub(super) new_epoch: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let head = HEAD.replace("TOKEN_MS", &super::TOKEN_MS.to_string());
        let script = |body: &str| {
            Script::new(&format!(
                "{head}{}",
                body.replace("TOKEN_MS", &super::TOKEN_MS.to_string())
            ))
        };
        Self {
            read: script(READ),
            fill: script(FILL),
            put: script(PUT),
            forget: script(FORGET),
            vet: Script::new(&VET.replace("NEW_EPOCH", NEW_EPOCH)),
            new_epoch: Script::new(NEW_EPOCH),
        }
    }
}
