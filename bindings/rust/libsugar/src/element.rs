//! The types of elements.

use libsugar_sys as sys;

/// IEEE 754's binary16, by its bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(transparent)]
pub struct F16(pub u16);

/// The upper half of an `f32`, by its bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(transparent)]
pub struct Bf16(pub u16);

/// What the library can compare and store, whatever it holds: elements, and the codes of saved gradients.
pub trait Stored: Copy + private::Sealed + 'static {
    #[doc(hidden)]
    const TYPE: sys::sugar_data_type;
}

/// An element of x, y, dy and dx: `f32`, `f64`, [`F16`], [`Bf16`].
pub trait Element: Stored {
    #[doc(hidden)]
    const FORWARD: Forward<Self>;
    #[doc(hidden)]
    const BACKWARD: Backward<Self>;
}

type Options = *const sys::sugar_call_options;
/// `sugar_forward_f32` and its like.
pub type Forward<T> = unsafe fn(*const sys::sugar_activation, i64, *const T, i64, *mut T, i64, Options) -> i32;
/// `sugar_backward_f32` and its like.
pub type Backward<T> =
    unsafe fn(*const sys::sugar_activation, i64, *const T, i64, *const T, i64, *mut T, i64, Options) -> i32;

mod private {
    pub trait Sealed {}
}

macro_rules! stored {
    ($type:ty, $code:expr, $bits:expr) => {
        impl private::Sealed for $type {}
        impl Stored for $type {
            const TYPE: sys::sugar_data_type = sys::sugar_data_type { code: $code as u8, bits: $bits, lanes: 1 };
        }
    };
}

macro_rules! element {
    ($type:ty, $code:expr, $bits:expr, $forward:ident, $backward:ident) => {
        stored!($type, $code, $bits);
        impl Element for $type {
            const FORWARD: Forward<Self> = |a, n, x, incx, y, incy, options| unsafe {
                sys::$forward(a, n, x.cast(), incx, y.cast(), incy, options)
            };
            const BACKWARD: Backward<Self> = |a, n, x, incx, dy, incdy, dx, incdx, options| unsafe {
                sys::$backward(a, n, x.cast(), incx, dy.cast(), incdy, dx.cast(), incdx, options)
            };
        }
    };
}

stored!(u8, sys::SUGAR_TYPE_UNSIGNED, 8);
element!(f32, sys::SUGAR_TYPE_FLOAT, 32, sugar_forward_f32, sugar_backward_f32);
element!(f64, sys::SUGAR_TYPE_FLOAT, 64, sugar_forward_f64, sugar_backward_f64);
element!(F16, sys::SUGAR_TYPE_FLOAT, 16, sugar_forward_f16, sugar_backward_f16);
element!(Bf16, sys::SUGAR_TYPE_BFLOAT, 16, sugar_forward_bf16, sugar_backward_bf16);
