//! The bus from outside: one story over every carrier and both engines, and what it survives.

mod broken;
mod crash;
mod faulty;
mod leading;
mod ledger;
mod listening;
mod parking;
mod proxy;
mod pruning;
mod pushing;
mod story;
mod traced;
mod upgrading;
mod wipe;
mod world;
