//! The web page: what runs, how it fares, and the design to switch.
