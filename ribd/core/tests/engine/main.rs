//! The engine against a model of the kernel.

#[cfg(test)]
mod fib;
#[cfg(test)]
mod moves;
mod properties;
#[cfg(test)]
mod resolution;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod shows;
#[cfg(test)]
mod system;
#[cfg(test)]
mod world;
