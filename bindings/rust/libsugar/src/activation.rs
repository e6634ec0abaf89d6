//! Activations: forward and backward.

use crate::call::Call;
use crate::catalogue::Kind;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::view::{View, ViewMut};
use libsugar_sys as sys;
use std::ffi::{CStr, CString};
use std::fmt;
use std::os::raw::c_char;
use std::ptr::NonNull;

/// A forward function, and the surrogate whose derivative the backward pass uses. It never changes: any number of
/// threads may use one at the same time.
pub struct Activation {
    handle: NonNull<sys::sugar_activation>,
}

/// One side of the `~` in a spec.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Function<'a> {
    pub kind: Kind,
    /// Its parameters' values, in the order of [`Kind::parameters`].
    pub parameters: &'a [f64],
}

impl Function<'_> {
    /// `count` values have to live at `values`, unless there are none.
    unsafe fn new(kind: i32, values: *const f64, count: i32) -> Self {
        let parameters = match usize::try_from(count) {
            // SAFETY: what the caller says.
            Ok(count) if count > 0 => unsafe { std::slice::from_raw_parts(values, count) },
            _ => &[],
        };
        Function { kind: Kind::at(kind), parameters }
    }
}

/// How an activation is made, beside its spec.
#[derive(Debug, Clone, Copy, Default)]
pub struct ActivationOptions<'a> {
    /// The instruction set: "scalar", "avx2", "avx512", "neon". `None`: the best.
    pub level: Option<&'a str>,
    /// Rows of a knot, the value there and the slope there: the function that the spec calls `table`, a cubic Hermite
    /// spline. It is copied. Empty: none.
    pub table: &'a [[f64; 3]],
}

/// What an activation is; `sugar_activation_info` of [`sys`] says it in full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Info<'a> {
    pub spec: &'a str,
    pub level: &'static str,
    pub forward: Function<'a>,
    pub surrogate: Option<Function<'a>>,
    /// `domain=negative`: the surrogate's derivative is used where x <= 0.
    pub negative_domain: bool,
    /// The share of the surrogate's derivative; 0 without one.
    pub blend: f64,
    /// The backward pass uses f'. If not, a parameter may be a tensor beside a saved gradient.
    pub uses_own_derivative: bool,
    /// `SUGAR_CAN_*` of [`sys`]: what calls accept, in every element type.
    pub capabilities: u64,
    /// The bounds of what the backward pass multiplies by.
    pub gradient_minimum: f64,
    pub gradient_maximum: f64,
}

// SAFETY: the library only reads it, on any thread, until it is destroyed.
unsafe impl Send for Activation {}
unsafe impl Sync for Activation {}

impl Activation {
    /// From a spec, `forward(name=value)~surrogate(name=value)`.
    pub fn new(spec: &str) -> Result<Self> {
        Activation::with_options(spec, &ActivationOptions::default())
    }

    /// With the kernels of an instruction set: "scalar", "avx2", "avx512", "neon".
    pub fn with_level(spec: &str, level: &str) -> Result<Self> {
        Activation::with_options(spec, &ActivationOptions { level: Some(level), ..Default::default() })
    }

    /// With all that there is to choose.
    pub fn with_options(spec: &str, options: &ActivationOptions<'_>) -> Result<Self> {
        let level = options.level.map(CString::new).transpose().map_err(|_| {
            Error::argument(format!("level: {:?}, expected no NUL in it", options.level.unwrap_or_default()))
        })?;
        let options = sys::sugar_activation_options {
            level: level.as_deref().map_or(std::ptr::null(), CStr::as_ptr),
            table: if options.table.is_empty() { std::ptr::null() } else { options.table.as_ptr().cast() },
            table_knots: options.table.len(),
            ..Default::default()
        };
        let mut handle = std::ptr::null_mut();
        // SAFETY: the spec and the table are as long as is said.
        Error::from_status(unsafe {
            sys::sugar_activation_create_with_options(
                &mut handle,
                spec.as_ptr().cast::<c_char>(),
                spec.len(),
                &options,
            )
        })?;
        Ok(Activation { handle: NonNull::new(handle).expect("a handle, where there is no error") })
    }

    /// y = f(x).
    pub fn forward<'x, 'y, T: Element>(
        &self,
        x: impl Into<View<'x, T>>,
        y: impl Into<ViewMut<'y, T>>,
    ) -> Result<()> {
        self.forward_with(x, y, Call::new())
    }

    /// y = f(x), with options.
    pub fn forward_with<'x, 'y, T: Element>(
        &self,
        x: impl Into<View<'x, T>>,
        y: impl Into<ViewMut<'y, T>>,
        call: Call<'_>,
    ) -> Result<()> {
        let (x, y) = (x.into(), y.into());
        self.forward_tensors(&x.raw().tensor(), &y.raw().tensor(), &call)
    }

    /// x = f(x).
    pub fn forward_in_place<'x, T: Element>(&self, x: impl Into<ViewMut<'x, T>>, call: Call<'_>) -> Result<()> {
        let x = x.into();
        let tensor = x.raw().tensor();
        self.forward_tensors(&tensor, &tensor, &call)
    }

    /// dx = dy * g'(x).
    pub fn backward<'x, 'y, 'z, T: Element>(
        &self,
        x: impl Into<View<'x, T>>,
        dy: impl Into<View<'y, T>>,
        dx: impl Into<ViewMut<'z, T>>,
    ) -> Result<()> {
        self.backward_with(x, dy, dx, Call::new())
    }

    /// dx = dy * g'(x), with options.
    pub fn backward_with<'x, 'y, 'z, T: Element>(
        &self,
        x: impl Into<View<'x, T>>,
        dy: impl Into<View<'y, T>>,
        dx: impl Into<ViewMut<'z, T>>,
        call: Call<'_>,
    ) -> Result<()> {
        let (x, dy, dx) = (x.into(), dy.into(), dx.into());
        self.backward_tensors(Some(&x.raw().tensor()), &dy.raw().tensor(), &dx.raw().tensor(), &call)
    }

    /// dx = dy * g'(x), where the call has g'(x): [`Call::saved_gradient`].
    pub fn backward_saved<'y, 'z, T: Element>(
        &self,
        dy: impl Into<View<'y, T>>,
        dx: impl Into<ViewMut<'z, T>>,
        call: Call<'_>,
    ) -> Result<()> {
        let (dy, dx) = (dy.into(), dx.into());
        self.backward_tensors(None, &dy.raw().tensor(), &dx.raw().tensor(), &call)
    }

    /// dy = dy * g'(x). Without x where the call has g'(x).
    pub fn backward_in_place<'x, 'y, T: Element>(
        &self,
        x: Option<View<'x, T>>,
        dy: impl Into<ViewMut<'y, T>>,
        call: Call<'_>,
    ) -> Result<()> {
        let dy = dy.into();
        let tensor = dy.raw().tensor();
        let x = x.as_ref().map(|x| x.raw().tensor());
        self.backward_tensors(x.as_ref(), &tensor, &tensor, &call)
    }

    /// x = dy * g'(x).
    pub fn backward_over_input<'x, 'y, T: Element>(
        &self,
        x: impl Into<ViewMut<'x, T>>,
        dy: impl Into<View<'y, T>>,
        call: Call<'_>,
    ) -> Result<()> {
        let (x, dy) = (x.into(), dy.into());
        let tensor = x.raw().tensor();
        self.backward_tensors(Some(&tensor), &dy.raw().tensor(), &tensor, &call)
    }

    /// The backward pass of [`Activation::backward`] itself: from v, the gradient that reaches its dx,
    /// ddy = v * g'(x), the one that goes on to its dy, and dx = v * dy * g''(x), the one that goes on to its x.
    pub fn backward_twice<'x, 'y, 'v, 'w, 'z, T: Element>(
        &self,
        x: impl Into<View<'x, T>>,
        dy: impl Into<View<'y, T>>,
        v: impl Into<View<'v, T>>,
        ddy: impl Into<ViewMut<'w, T>>,
        dx: impl Into<ViewMut<'z, T>>,
    ) -> Result<()> {
        self.backward_twice_with(x, dy, v, Some(ddy.into()), Some(dx.into()), Call::new())
    }

    /// As [`Activation::backward_twice`], of one output or both, with options: accumulate, nontemporal, temporal,
    /// threads.
    pub fn backward_twice_with<'x, 'y, 'v, T: Element>(
        &self,
        x: impl Into<View<'x, T>>,
        dy: impl Into<View<'y, T>>,
        v: impl Into<View<'v, T>>,
        ddy: Option<ViewMut<'_, T>>,
        dx: Option<ViewMut<'_, T>>,
        call: Call<'_>,
    ) -> Result<()> {
        let (x, dy, v) = (x.into(), dy.into(), v.into());
        let inputs = (x.raw().tensor(), dy.raw().tensor(), v.raw().tensor());
        let outputs = (ddy.as_ref().map(|ddy| ddy.raw().tensor()), dx.as_ref().map(|dx| dx.raw().tensor()));
        let pointer =
            |tensor: &Option<sys::sugar_tensor>| tensor.as_ref().map_or(std::ptr::null(), |tensor| tensor as _);
        let (ddy, dx) = (pointer(&outputs.0), pointer(&outputs.1));
        // SAFETY: as in forward.
        call.run(|options| {
            Error::from_status(unsafe {
                sys::sugar_backward_twice(self.as_ptr(), &inputs.0, &inputs.1, &inputs.2, ddy, dx, options)
            })
        })
    }

    #[inline]
    fn forward_tensors(&self, x: &sys::sugar_tensor, y: &sys::sugar_tensor, call: &Call<'_>) -> Result<()> {
        call.check_forward()?;
        // SAFETY: every element of a view lies in its slice; outputs are views that nobody else has.
        call.run(|options| Error::from_status(unsafe { sys::sugar_forward(self.as_ptr(), x, y, options) }))
    }

    #[inline]
    fn backward_tensors(
        &self,
        x: Option<&sys::sugar_tensor>,
        dy: &sys::sugar_tensor,
        dx: &sys::sugar_tensor,
        call: &Call<'_>,
    ) -> Result<()> {
        let x = x.map_or(std::ptr::null(), |x| x as *const _);
        // SAFETY: as in forward.
        call.run(|options| Error::from_status(unsafe { sys::sugar_backward(self.as_ptr(), x, dy, dx, options) }))
    }

    /// y = f(x) for n elements that are a step apart in each slice, in the manner of the BLAS: with a negative step
    /// the first element is the last one in memory.
    pub fn forward_steps<T: Element>(
        &self,
        n: usize,
        x: &[T],
        incx: i64,
        y: &mut [T],
        incy: i64,
        call: Call<'_>,
    ) -> Result<()> {
        fits("x", n, x.len(), incx)?;
        fits("y", n, y.len(), incy)?;
        call.check_forward()?;
        // SAFETY: n elements with that step lie in the slices.
        call.run(|options| {
            Error::from_status(unsafe {
                T::FORWARD(self.as_ptr(), n as i64, x.as_ptr(), incx, y.as_mut_ptr(), incy, options)
            })
        })
    }

    /// dx = dy * g'(x), as [`Activation::forward_steps`].
    #[allow(clippy::too_many_arguments)]
    pub fn backward_steps<T: Element>(
        &self,
        n: usize,
        x: &[T],
        incx: i64,
        dy: &[T],
        incdy: i64,
        dx: &mut [T],
        incdx: i64,
        call: Call<'_>,
    ) -> Result<()> {
        fits("x", n, x.len(), incx)?;
        fits("dy", n, dy.len(), incdy)?;
        fits("dx", n, dx.len(), incdx)?;
        // SAFETY: as in forward_steps.
        call.run(|options| {
            Error::from_status(unsafe {
                T::BACKWARD(
                    self.as_ptr(),
                    n as i64,
                    x.as_ptr(),
                    incx,
                    dy.as_ptr(),
                    incdy,
                    dx.as_mut_ptr(),
                    incdx,
                    options,
                )
            })
        })
    }

    /// The canonical spec.
    pub fn spec(&self) -> &str {
        // SAFETY: it lives as long as the activation.
        unsafe { CStr::from_ptr(sys::sugar_activation_spec(self.as_ptr())) }.to_str().expect("a spec is ASCII")
    }

    /// The level whose kernels it uses.
    pub fn level(&self) -> &'static str {
        // SAFETY: a constant.
        unsafe { CStr::from_ptr(sys::sugar_activation_level(self.as_ptr())) }.to_str().expect("a level is ASCII")
    }

    /// What the spec says, in parts, what calls accept, and the bounds of the derivative.
    pub fn info(&self) -> Info<'_> {
        let mut found = sys::sugar_activation_info::default();
        // SAFETY: neither is null, and the struct has its size, so that it cannot fail. Parameters live as long as the
        // activation.
        unsafe {
            sys::sugar_activation_get_info(self.as_ptr(), &mut found);
            Info {
                spec: self.spec(),
                level: self.level(),
                forward: Function::new(
                    found.forward_kind,
                    found.forward_parameters,
                    found.forward_parameter_count,
                ),
                surrogate: (found.surrogate_kind >= 0).then(|| {
                    Function::new(
                        found.surrogate_kind,
                        found.surrogate_parameters,
                        found.surrogate_parameter_count,
                    )
                }),
                negative_domain: found.domain == sys::SUGAR_DOMAIN_NEGATIVE,
                blend: found.blend,
                uses_own_derivative: found.uses_own_derivative != 0,
                capabilities: found.capabilities,
                gradient_minimum: found.gradient_minimum,
                gradient_maximum: found.gradient_maximum,
            }
        }
    }

    /// For the functions of [`sys`].
    #[inline]
    pub fn as_ptr(&self) -> *const sys::sugar_activation {
        self.handle.as_ptr()
    }
}

/// Whether n elements with that step lie in a slice.
#[inline]
fn fits(name: &str, n: usize, length: usize, step: i64) -> Result<()> {
    if i64::try_from(n).is_err() {
        return Err(Error::argument(format!("n: {}, expected at most {}", n, i64::MAX)));
    }
    let needed = if n == 0 { 0 } else { (n as u128 - 1) * u128::from(step.unsigned_abs()) + 1 };
    if needed > length as u128 {
        return Err(Error::argument(format!(
            "{}: a slice of {}, expected {} for {} elements with a step of {}",
            name, length, needed, n, step
        )));
    }
    Ok(())
}

impl Drop for Activation {
    fn drop(&mut self) {
        // SAFETY: nobody else has it, or uses it.
        unsafe { sys::sugar_activation_destroy(self.handle.as_ptr()) }
    }
}

impl fmt::Debug for Activation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Activation({:?})", self.spec())
    }
}

impl std::str::FromStr for Activation {
    type Err = Error;

    fn from_str(spec: &str) -> Result<Self> {
        Activation::new(spec)
    }
}
