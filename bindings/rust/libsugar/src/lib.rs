//! Activation functions with surrogate gradients: ReLU forward, the derivative of a smooth function backward, in one
//! pass over memory, on slices and strided views, without copies.
//!
//! ```
//! # fn main() -> Result<(), libsugar::Error> {
//! let relu = libsugar::Activation::new("relu~bsilu")?;
//! let (x, dy) = ([-2.0f32, -0.5, 0.5, 2.0], [1.0f32; 4]);
//! let (mut y, mut dx) = ([0.0; 4], [0.0; 4]);
//! relu.forward(&x, &mut y)?; // y = max(x, 0)
//! relu.backward(&x, &dy, &mut dx)?; // dx = dy * bsilu'(x)
//! assert_eq!(y, [0.0, 0.0, 0.5, 2.0]);
//! # Ok(())
//! # }
//! ```
//!
//! Operands are slices, vectors and arrays of `f32`, `f64`, [`F16`] or [`Bf16`], or a [`View`] or [`ViewMut`] of one,
//! with a shape and strides. The C functions, for whatever is not here, are in [`sys`].

#![deny(unsafe_op_in_unsafe_fn)]

mod activation;
mod call;
mod catalogue;
mod context;
mod element;
mod error;
mod monitor;
mod view;

pub use activation::{Activation, ActivationOptions, Function, Info};
pub use call::Call;
pub use catalogue::{kinds, levels, version, Kind, Level, Parameter};
pub use context::{Context, Task};
pub use element::{Bf16, Element, Stored, F16};
pub use error::{Error, Result, Status};
pub use libsugar_sys as sys;
pub use monitor::{Histogram, Monitor, MonitorOptions, Summary, Unit};
pub use view::{View, ViewMut};
