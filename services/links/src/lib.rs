//! Short links: the code in, the target out, every click counted.
