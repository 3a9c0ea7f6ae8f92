//! Each rule of tidy catches the fault that it is there for, planted in a small generated workspace.

mod mini;
mod rules;
mod stamping;
