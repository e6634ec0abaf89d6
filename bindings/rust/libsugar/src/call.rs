//! Options of one call.

use crate::context::Context;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::monitor::Monitor;
use crate::view::{Raw, View, ViewMut};
use libsugar_sys as sys;
use std::marker::PhantomData;

/// What a call may be told; nothing said, all defaults:
///
/// ```
/// # fn main() -> Result<(), libsugar::Error> {
/// # let relu = libsugar::Activation::new("relu")?;
/// # let context = libsugar::Context::new(2)?;
/// # let (x, dy, mut dx) = ([1.0f32], [2.0], [3.0]);
/// relu.backward_with(&x, &dy, &mut dx, libsugar::Call::new().accumulate().threads(&context))?;
/// # assert_eq!(dx, [5.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct Call<'a> {
    set: bool,
    flags: u64,
    context: Option<&'a Context>,
    monitor: Option<*mut sys::sugar_monitor>,
    parameter: Option<Raw<'a>>,
    parameter_gradient: Option<Raw<'a>>,
    saved_gradient: Option<Raw<'a>>,
    saved_is_shared: bool,
    bias: Option<Raw<'a>>,
    bias_gradient: Option<Raw<'a>>,
    gate: Option<Raw<'a>>,
    gate_gradient: Option<Raw<'a>>,
    random: Option<sys::sugar_random>,
    borrowed: PhantomData<&'a mut Monitor>,
}

impl<'a> Call<'a> {
    #[inline]
    pub fn new() -> Self {
        Call::default()
    }

    /// Backward: dx = dx + dy * g'(x), rounded once.
    pub fn accumulate(self) -> Self {
        self.flags(sys::SUGAR_CALL_ACCUMULATE)
    }

    /// Store the output past the caches, whatever its size.
    pub fn nontemporal(self) -> Self {
        self.flags(sys::SUGAR_CALL_NONTEMPORAL)
    }

    /// Never store it past the caches.
    pub fn temporal(self) -> Self {
        self.flags(sys::SUGAR_CALL_TEMPORAL)
    }

    /// Backward: x is the output y of the forward pass.
    pub fn from_output(self) -> Self {
        self.flags(sys::SUGAR_CALL_FROM_OUTPUT)
    }

    fn flags(mut self, flag: i32) -> Self {
        self.flags |= flag as u64;
        self.changed()
    }

    fn changed(mut self) -> Self {
        self.set = true;
        self
    }

    /// The threads of a context.
    pub fn threads(mut self, context: &'a Context) -> Self {
        self.context = Some(context);
        self.changed()
    }

    /// Forward: counts x in passing.
    pub fn monitor(mut self, monitor: &'a mut Monitor) -> Self {
        self.monitor = Some(monitor.as_mut_ptr());
        self.changed()
    }

    /// The forward function's parameter: in each dimension the extent of x, or 1 where it does not vary.
    pub fn parameter<T: Element>(mut self, values: impl Into<View<'a, T>>) -> Self {
        self.parameter = Some(*values.into().raw());
        self.changed()
    }

    /// Backward: receives the gradient of the parameter, summed in the dimensions in which its extent is 1.
    pub fn parameter_gradient<T: Element>(mut self, gradient: impl Into<ViewMut<'a, T>>) -> Self {
        self.parameter_gradient = Some(*gradient.into().raw());
        self.changed()
    }

    /// Added to x: f(x + bias); its extents are as those of a parameter. `f32` too beside [`F16`](crate::F16) and
    /// [`Bf16`](crate::Bf16), as a parameter and the gradients of both may be.
    pub fn bias<T: Element>(mut self, values: impl Into<View<'a, T>>) -> Self {
        self.bias = Some(*values.into().raw());
        self.changed()
    }

    /// Backward: receives the gradient of a bias, summed as that of a parameter.
    pub fn bias_gradient<T: Element>(mut self, gradient: impl Into<ViewMut<'a, T>>) -> Self {
        self.bias_gradient = Some(*gradient.into().raw());
        self.changed()
    }

    /// The other factor of a gated unit, in the shape of x: f(x) * gate.
    pub fn gate<T: Element>(mut self, values: impl Into<View<'a, T>>) -> Self {
        self.gate = Some(*values.into().raw());
        self.changed()
    }

    /// Backward: receives the gradient of a gate, dy * f(x).
    pub fn gate_gradient<T: Element>(mut self, gradient: impl Into<ViewMut<'a, T>>) -> Self {
        self.gate_gradient = Some(*gradient.into().raw());
        self.changed()
    }

    /// Forward: receives g'(x), in a byte for each element.
    pub fn save_gradient(self, codes: impl Into<ViewMut<'a, u8>>) -> Self {
        let codes = *codes.into().raw();
        self.saved(codes, false)
    }

    /// Forward: receives g'(x) in a bit for each element of x, which has that shape.
    pub fn save_gradient_bits(self, bits: &'a mut [u8], shape: &'a [i64]) -> Result<Self> {
        let bits = Raw::bits(bits.as_mut_ptr(), bits.len(), shape)?;
        Ok(self.saved(bits, false))
    }

    /// [`Activation::backward_saved`](crate::Activation::backward_saved): what [`Call::save_gradient`] received.
    pub fn saved_gradient(self, codes: impl Into<View<'a, u8>>) -> Self {
        let codes = *codes.into().raw();
        self.saved(codes, true)
    }

    /// The same of [`Call::save_gradient_bits`].
    pub fn saved_gradient_bits(self, bits: &'a [u8], shape: &'a [i64]) -> Result<Self> {
        let bits = Raw::bits(bits.as_ptr() as *mut u8, bits.len(), shape)?;
        Ok(self.saved(bits, true))
    }

    fn saved(mut self, codes: Raw<'a>, shared: bool) -> Self {
        self.saved_gradient = Some(codes);
        self.saved_is_shared = shared;
        self.changed()
    }

    /// Slopes drawn at random (rrelu).
    pub fn random(mut self, seed: u64, offset: u64) -> Self {
        self.random = Some(sys::sugar_random { seed, offset, ..Default::default() });
        self.changed()
    }

    /// A forward call writes to a saved gradient: it may not be one that is shared.
    #[inline]
    pub(crate) fn check_forward(&self) -> Result<()> {
        if self.saved_gradient.is_some() && self.saved_is_shared {
            return Err(Error::argument("saved_gradient: to be read, expected save_gradient in a forward call"));
        }
        Ok(())
    }

    /// Calls `run` with the options as C takes them.
    #[inline]
    pub(crate) fn run<R>(&self, run: impl FnOnce(*const sys::sugar_call_options) -> R) -> R {
        if !self.set {
            return run(std::ptr::null());
        }
        self.run_with_options(run)
    }

    fn run_with_options<R>(&self, run: impl FnOnce(*const sys::sugar_call_options) -> R) -> R {
        let views = [
            &self.parameter,
            &self.parameter_gradient,
            &self.saved_gradient,
            &self.bias,
            &self.bias_gradient,
            &self.gate,
            &self.gate_gradient,
        ];
        let tensors = views.map(|view| view.as_ref().map(Raw::tensor));
        let pointer = |index: usize| tensors[index].as_ref().map_or(std::ptr::null(), |tensor| tensor as _);
        run(&sys::sugar_call_options {
            flags: self.flags,
            context: self.context.map_or(std::ptr::null(), Context::as_ptr),
            monitor: self.monitor.unwrap_or(std::ptr::null_mut()),
            parameter: pointer(0),
            parameter_gradient: pointer(1),
            saved_gradient: pointer(2),
            random: self.random.as_ref().map_or(std::ptr::null(), |random| random as _),
            bias: pointer(3),
            bias_gradient: pointer(4),
            gate: pointer(5),
            gate_gradient: pointer(6),
            ..Default::default()
        })
    }
}
