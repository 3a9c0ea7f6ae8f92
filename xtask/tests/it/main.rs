//! Each rule of tidy catches the fault that it is there for, planted in a small generated workspace.

mod build_cost;
mod graph;
mod layers;
mod mini;
mod modules;
mod prices;
mod rules;
mod stamping;
