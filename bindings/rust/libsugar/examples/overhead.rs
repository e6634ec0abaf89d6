//! What a call costs beyond C's: nanoseconds of a forward pass on 16 elements, the least of many rounds.
use libsugar::{sys, Activation, Call};
use std::time::Instant;

fn nanoseconds(mut call: impl FnMut()) -> f64 {
    let round = || {
        let start = Instant::now();
        (0..1000).for_each(|_| call());
        start.elapsed().as_nanos() as f64 / 1000.0
    };
    std::iter::repeat_with(round).take(200).fold(f64::INFINITY, f64::min)
}

fn main() -> Result<(), libsugar::Error> {
    let relu = Activation::new("relu")?;
    let (x, mut y) = ([0f32; 16], [0f32; 16]);
    let c = nanoseconds(|| unsafe {
        sys::sugar_forward_f32(relu.as_ptr(), 16, x.as_ptr(), 1, y.as_mut_ptr(), 1, std::ptr::null());
    });
    let steps = nanoseconds(|| relu.forward_steps(16, &x, 1, &mut y, 1, Call::new()).unwrap());
    let views = nanoseconds(|| relu.forward(&x, &mut y).unwrap());
    println!("C's sugar_forward_f32 {:.1} ns, forward_steps {:.1} ns, forward {:.1} ns", c, steps, views);
    Ok(())
}
