//! What the safe layer adds: errors, bounds, handles, options, threads, the catalogue.

use libsugar::{
    Activation, ActivationOptions, Bf16, Call, Context, Error, Monitor, MonitorOptions, Status, View, ViewMut, F16,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

const INPUT: [f32; 6] = [-2.0, -0.5, 0.5, 2.0, -1.0, 3.0];

fn relu() -> Activation {
    Activation::new("relu").unwrap()
}

#[test]
fn types_are_as_thread_safe_as_the_header_says() {
    fn shared<T: Send + Sync>() {}
    shared::<Activation>();
    shared::<Context>();
    shared::<Monitor>();
    shared::<Error>();
    shared::<View<f32>>();
    shared::<ViewMut<F16>>();
}

#[test]
fn errors_have_status_and_message() {
    let error = Activation::new("rleu").unwrap_err();
    assert_eq!(error.status(), Status::Spec);
    assert!(error.to_string().contains("relu") && error.message() == error.to_string());
    let boxed: Box<dyn std::error::Error + Send + Sync> = error.into();
    assert!(boxed.downcast::<Error>().is_ok());
    let error = relu().forward(&INPUT, &mut [0.0; 5]).unwrap_err();
    assert_eq!((error.status(), error.message()), (Status::Argument, "y: shape (5,), expected (6,) like x"));
    assert_eq!(Activation::with_level("relu", "mmx").unwrap_err().status(), Status::Unsupported);
    assert_eq!(Activation::with_level("relu", "a\0b").unwrap_err().status(), Status::Argument);
    assert!(Monitor::new(0).unwrap_err().message().contains("units"));
    assert!(Context::new(-1).is_err());
}

#[test]
fn activations_say_what_they_are() {
    let activation: Activation = " relu ~ bsilu ".parse().unwrap();
    assert_eq!(activation.spec(), "relu~bsilu(alpha=1.67)");
    assert_eq!(Activation::with_level("relu", "scalar").unwrap().level(), "scalar");
    let activation = Activation::new("prelu(alpha=0.5)~relu(domain=negative,blend=0.25)").unwrap();
    let info = activation.info();
    assert_eq!((info.spec, info.level), (activation.spec(), activation.level()));
    assert_eq!((info.forward.kind.name, info.forward.parameters), ("prelu", &[0.5][..]));
    let surrogate = info.surrogate.unwrap();
    assert_eq!((surrogate.kind.name, surrogate.parameters), ("relu", &[][..]));
    assert!(info.negative_domain && info.blend == 0.25 && info.uses_own_derivative);
    assert_eq!(info.capabilities & libsugar::sys::SUGAR_CAN_LEARN as u64, 1);
    let plain = relu();
    let info = plain.info();
    assert!(info.surrogate.is_none() && !info.negative_domain && info.blend == 0.0);
    assert_eq!((info.gradient_minimum, info.gradient_maximum), (0.0, 1.0));
    assert_eq!(
        libsugar::version() / 100,
        libsugar::sys::SUGAR_VERSION_MAJOR * 100 + libsugar::sys::SUGAR_VERSION_MINOR
    );
}

#[test]
fn views_stay_in_their_slices() {
    let data = [0f32; 6];
    let fits = |offset, shape: &[i64], strides: &[i64]| View::strided(&data, offset, shape, strides).is_ok();
    assert!(fits(0, &[2, 3], &[3, 1]) && fits(0, &[3, 2], &[1, 3]) && fits(5, &[6], &[-1]));
    assert!(
        fits(0, &[1000], &[0]) && fits(0, &[0, i64::MAX], &[1, 1]) && fits(6, &[0], &[1]) && fits(5, &[], &[])
    );
    assert!(!fits(0, &[7], &[1]) && !fits(1, &[6], &[1]) && !fits(4, &[6], &[-1]) && !fits(6, &[], &[]));
    assert!(fits(7, &[0], &[1]) && !fits(0, &[2, 3], &[1]) && !fits(0, &[-1], &[1]));
    assert!(!fits(0, &[i64::MAX, i64::MAX], &[i64::MAX, i64::MAX]) && !fits(0, &[i64::MAX], &[i64::MIN]));
    assert!(!fits(0, &[1 << 32, 1 << 32], &[1 << 32, 1]));
    assert!(!fits(0, &[i64::MAX; 64], &[i64::MAX; 64]) && !fits(0, &[1; 65], &[1; 65]));
    assert!(View::with_shape(&data, &[2, 3]).is_ok() && View::with_shape(&data, &[2, 4]).is_err());
    assert!(View::with_shape(&data, &[i64::MAX, i64::MAX, i64::MAX]).is_err());
    let error = View::strided(&data, 0, &[i64::MAX], &[i64::MIN]).unwrap_err();
    assert!(error.message().contains("strides [-9223372036854775808],"), "{}", error);
    let mut bits = [0u8; 1];
    assert!(Call::new().save_gradient_bits(&mut bits, &[8]).is_ok());
    assert!(Call::new().save_gradient_bits(&mut bits, &[9]).is_err());
    let (x, mut y) = ([0f32; 5], [0f32; 5]);
    assert!(relu().forward_steps(3, &x, -2, &mut y, 2, Call::new()).is_ok());
    assert!(relu().forward_steps(4, &x, 2, &mut y, 1, Call::new()).is_err());
    let error = relu().forward_steps(usize::MAX, &x, 0, &mut y, 1, Call::new()).unwrap_err();
    assert_eq!(error.message(), "n: 18446744073709551615, expected at most 9223372036854775807");
    assert!(relu().forward_steps(2, &x, i64::MIN, &mut y, 1, Call::new()).is_err());
    assert!(relu().backward_steps(4, &x, 1, &x, 2, &mut y, 1, Call::new()).is_err());
}

/// The gradient of a parameter is set to 0 where x is empty and it is not.
#[test]
fn a_gradient_over_nothing() {
    let prelu = Activation::new("prelu").unwrap();
    let (x, mut memory) = ([0f32; 0], [7f32; 8]);
    let empty = || View::with_shape(&x, &[0, 3]).unwrap();
    let mut gradient = |offset, shape: &[i64], strides: &[i64]| {
        let view = ViewMut::strided(&mut memory, offset, shape, strides)?;
        let mut dx = [0f32; 0];
        let dx = ViewMut::with_shape(&mut dx, &[0, 3])?;
        prelu.backward_with(empty(), empty(), dx, Call::new().parameter_gradient(view))?;
        Ok::<_, Error>(memory)
    };
    assert!(gradient(0, &[1, 3], &[0, 0]).unwrap_err().message().contains("stride 0 in dimension 1"));
    assert!(gradient(6, &[1, 3], &[0, 1]).unwrap_err().message().contains("in a slice of 8"));
    for strides in [[0, 0], [0, 1], [i64::MIN, i64::MAX]] {
        assert_eq!(gradient(usize::MAX, &[0, 3], &strides).unwrap(), [7.0; 8]);
    }
    assert_eq!(gradient(1, &[1, 3], &[0, 1]).unwrap(), [7.0, 0.0, 0.0, 0.0, 7.0, 7.0, 7.0, 7.0]);
    assert_eq!(gradient(7, &[1, 3], &[0, -1]).unwrap(), [7.0, 0.0, 0.0, 0.0, 7.0, 0.0, 0.0, 0.0]);
    assert_eq!(gradient(4, &[1, 1], &[0, 0]).unwrap(), [7.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);

    let mut flat = [7f32; 2];
    let call = Call::new().parameter_gradient(&mut flat[..1]);
    prelu.backward_steps(0, &x, 1, &x, 1, &mut [], 1, call).unwrap();
    assert_eq!(flat, [0.0, 7.0]);
}

/// Every operand without elements, with strides and offsets that none with elements could have.
#[test]
fn views_without_elements() {
    let (data, bytes, mut y, mut sums) = ([0f64; 3], [0u8; 3], [7f64; 3], [7f64; 3]);
    let (mut codes, shape) = ([7u8; 3], [0, 3, i64::MAX]);
    let [relu, prelu, rrelu] = ["relu", "prelu", "rrelu"].map(|spec| Activation::new(spec).unwrap());
    let mut monitor =
        Monitor::with_options(3, &MonitorOptions { axis_from_end: 1, ..Default::default() }).unwrap();
    for (offset, strides) in [(0, [0; 3]), (3, [1; 3]), (4, [-1; 3]), (usize::MAX, [i64::MIN, i64::MAX, 0])] {
        for length in [0, 3] {
            let input = || View::strided(&data[..length], offset, &shape, &strides).unwrap();
            macro_rules! output {
                ($memory:expr) => {
                    ViewMut::strided(&mut $memory[..length], offset, &shape, &strides).unwrap()
                };
            }
            relu.forward_with(input(), output!(y), Call::new().monitor(&mut monitor)).unwrap();
            monitor.observe(input(), None).unwrap();
            prelu.forward_with(input(), output!(y), Call::new().parameter(input())).unwrap();
            let call = Call::new().parameter(input()).parameter_gradient(output!(sums));
            prelu.backward_with(input(), input(), output!(y), call).unwrap();
            rrelu.forward_with(input(), output!(y), Call::new().random(1, 2)).unwrap();
            relu.forward_with(input(), output!(y), Call::new().save_gradient(output!(codes))).unwrap();
            let saved = View::strided(&bytes[..length], offset, &shape, &strides).unwrap();
            relu.backward_saved(input(), output!(y), Call::new().saved_gradient(saved)).unwrap();
            let call = Call::new().save_gradient_bits(&mut codes[..length], &shape).unwrap();
            relu.forward_with(input(), output!(y), call).unwrap();
            let call = Call::new().saved_gradient_bits(&bytes[..length], &shape).unwrap();
            relu.backward_saved(input(), output!(y), call).unwrap();
        }
    }
    assert_eq!((y, sums, codes, monitor.summary().samples), ([7.0; 3], [7.0; 3], [7; 3], 0));
}

#[test]
fn nothing_writes_to_what_is_shared() {
    let codes = [7u8; 6];
    let mut y = [0.0; 6];
    let error = relu().forward_with(&INPUT, &mut y, Call::new().saved_gradient(&codes)).unwrap_err();
    assert_eq!((error.status(), codes), (Status::Argument, [7; 6]));
}

#[test]
fn views_of_any_strides() {
    let mut y = [0.0f32; 6];
    relu().forward(&INPUT, ViewMut::strided(&mut y, 5, &[6], &[-1]).unwrap()).unwrap();
    assert_eq!(y, [3.0, 0.0, 2.0, 0.5, 0.0, 0.0]);
    let x = View::with_shape(&INPUT, &[2, 3]).unwrap();
    relu().forward(x, ViewMut::strided(&mut y, 0, &[2, 3], &[1, 2]).unwrap()).unwrap();
    assert_eq!(y, [0.0, 2.0, 0.0, 0.0, 0.5, 3.0]);

    let mut dx = [0.0f32; 6];
    let ones = View::strided(&[1.0], 0, &[6], &[0]).unwrap();
    relu().backward(&INPUT, ones, &mut dx).unwrap();
    relu().backward_with(&INPUT[..], ones, &mut dx, Call::new().accumulate()).unwrap();
    assert_eq!(dx, [0.0, 0.0, 2.0, 2.0, 0.0, 2.0]);
    relu().backward_steps(3, &INPUT, 2, &[1.0], 0, &mut dx, -2, Call::new()).unwrap();
    assert_eq!(dx, [0.0, 0.0, 1.0, 2.0, 0.0, 2.0]);
}

#[test]
fn in_place() {
    let mut x = INPUT.to_vec();
    relu().forward_in_place(&mut x, Call::new()).unwrap();
    assert_eq!(x, [0.0, 0.0, 0.5, 2.0, 0.0, 3.0]);
    let mut dy = vec![1.0; 6];
    relu().backward_in_place(Some(View::new(&INPUT)), &mut dy, Call::new()).unwrap();
    assert_eq!(dy, [0.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
    relu().backward_over_input(&mut x, &vec![2.0; 6], Call::new()).unwrap();
    assert_eq!(x, [0.0, 0.0, 2.0, 2.0, 0.0, 2.0]);
}

#[test]
fn elements_of_16_bits() {
    let mut y = [F16(1); 2];
    relu().forward(&[F16(0xc000), F16(0x4200)], &mut y).unwrap();
    assert_eq!(y, [F16(0), F16(0x4200)]);
    let mut y = [Bf16(1); 2];
    relu().forward_steps(2, &[Bf16(0xc000), Bf16(0x4040)], 1, &mut y, 1, Call::new()).unwrap();
    assert_eq!(y, [Bf16(0), Bf16(0x4040)]);
}

#[test]
fn options_of_calls() {
    let (mut y, mut dx, dy) = ([0.0; 6], [0.0; 6], [1.0f32; 6]);
    let mut bits = [0u8; 1];
    relu().forward_with(&INPUT, &mut y, Call::new().save_gradient_bits(&mut bits, &[6]).unwrap()).unwrap();
    assert_eq!(bits, [0x2c]);
    relu().backward_saved(&dy, &mut dx, Call::new().saved_gradient_bits(&bits, &[6]).unwrap()).unwrap();
    assert_eq!(dx, [0.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
    let mut codes = [0u8; 6];
    relu().forward_with(&INPUT, &mut y, Call::new().save_gradient(&mut codes).temporal()).unwrap();
    assert_eq!(codes, [0, 0, 255, 255, 0, 255]);
    relu().backward_with(&y, &dy, &mut dx, Call::new().from_output()).unwrap();

    let prelu = Activation::new("prelu").unwrap();
    let (slopes, mut gradient) = ([0.5f32, 0.25], [0.0f32; 2]);
    let channels = View::with_shape(&slopes, &[2, 1]).unwrap();
    let x = View::with_shape(&INPUT, &[2, 3]).unwrap();
    let call =
        Call::new().parameter(channels).parameter_gradient(ViewMut::with_shape(&mut gradient, &[2, 1]).unwrap());
    let dy = View::with_shape(&dy, &[2, 3]).unwrap();
    prelu.backward_with(x, dy, ViewMut::with_shape(&mut dx, &[2, 3]).unwrap(), call).unwrap();
    assert_eq!(gradient, [-2.5, -1.0]);

    let rrelu = Activation::new("rrelu").unwrap();
    let mut drawn = [[0f32; 6]; 3];
    for (y, seed) in drawn.iter_mut().zip([42, 42, 43]) {
        rrelu.forward_with(&INPUT, y, Call::new().random(seed, 0)).unwrap();
    }
    assert!(drawn[0] == drawn[1] && drawn[1] != drawn[2]);
}

#[test]
fn bias_and_gate() {
    let (x, gate, dy, bias) = ([-1.0f32, 1.0, 2.0], [2.0f32, 3.0, 4.0], [1.0, 10.0, 100.0], [0.5f32]);
    let (mut y, mut dx, mut product, mut sum) = ([0.0; 3], [0.0; 3], [0.0f32; 3], [0.0f32]);
    relu().forward_with(&x, &mut y, Call::new().bias(&bias).gate(&gate)).unwrap();
    assert_eq!(y, [0.0, 4.5, 10.0]);
    let call = Call::new().bias(&bias).bias_gradient(&mut sum).gate(&gate).gate_gradient(&mut product);
    relu().backward_with(&x, &dy, &mut dx, call).unwrap();
    assert_eq!((dx, product, sum), ([0.0, 30.0, 400.0], [0.0, 15.0, 250.0], [430.0]));
    let mut half = [F16(0); 3];
    relu().forward_with(&[F16(0xbc00), F16(0x3c00), F16(0)], &mut half, Call::new().bias(&bias)).unwrap();
    assert_eq!(half, [F16(0), F16(0x3e00), F16(0x3800)]);
    let error = relu().forward_with(&x, &mut y, Call::new().gate(&bias)).unwrap_err();
    assert_eq!(error.message(), "gate: shape (1,), expected (3,) like x");
}

#[test]
fn second_derivatives() {
    let square = Activation::new("square").unwrap();
    let (x, dy, v) = ([-1.0f32, 1.0, 2.0], [1.0, 10.0, 100.0], [1.0, 2.0, 3.0]);
    let (mut ddy, mut dx) = ([0.0; 3], [0.0; 3]);
    square.backward_twice(&x, &dy, &v, &mut ddy, &mut dx).unwrap();
    assert_eq!((ddy, dx), ([-2.0, 4.0, 12.0], [2.0, 40.0, 600.0]));
    let call = Call::new().accumulate();
    square.backward_twice_with(&x, &dy, &v, None, Some((&mut dx).into()), call).unwrap();
    assert_eq!(dx, [4.0, 80.0, 1200.0]);
    let error = square.backward_twice_with(&x, &dy, &v, None, None, Call::new()).unwrap_err();
    assert!(error.message().starts_with("ddy: NULL, and dx NULL"));
    let error = square.backward_twice(&x, &dy[..2], &v, &mut ddy, &mut dx).unwrap_err();
    assert_eq!(error.message(), "dy: shape (2,), expected (3,) like x");
}

#[test]
fn tables() {
    let step = |spec: &str, table: &[[f64; 3]]| {
        Activation::with_options(spec, &ActivationOptions { table, ..Default::default() })
    };
    let table = [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0]];
    let activation = step("table", &table).unwrap();
    let mut y = [7.0f32; 3];
    activation.forward(&[-1.0, 0.5, 3.0], &mut y).unwrap();
    assert_eq!(y, [0.0, 0.5, 1.0]);
    assert_eq!(step(activation.spec(), &table).unwrap().spec(), activation.spec());
    assert!(step("table", &[]).unwrap_err().message().contains("table: NULL"));
    assert!(step("relu", &table).is_err());
}

#[test]
fn monitors_count() {
    let x = View::with_shape(&INPUT, &[2, 3]).unwrap();
    let (mut monitor, mut y) = (Monitor::new(3).unwrap(), [0.0; 6]);
    relu()
        .forward_with(x, ViewMut::with_shape(&mut y, &[2, 3]).unwrap(), Call::new().monitor(&mut monitor))
        .unwrap();
    assert_eq!((monitor.summary().samples, monitor.summary().dead), (6, 1));
    assert_eq!(monitor.find_dead(0.0).unwrap(), [1]);
    assert_eq!(monitor.unit(2).unwrap().sum, 3.5);
    assert!(monitor.unit(3).is_err() && monitor.find_dead(2.0).is_err());
    let saved = monitor.save().unwrap();
    let mut restored = Monitor::restore(&saved).unwrap();
    restored.merge(&monitor).unwrap();
    restored.observe(x, None).unwrap();
    assert_eq!(restored.histogram().counts.iter().sum::<i64>(), 18);
    restored.reset();
    assert_eq!(restored.summary().samples, 0);
    assert!(Monitor::restore(&saved[1..]).is_err());
    let options = MonitorOptions { axis_from_end: 1, ..Default::default() };
    let mut rows = Monitor::with_options(2, &options).unwrap();
    rows.observe(x, Some(&Context::new(2).unwrap())).unwrap();
    assert_eq!((rows.summary().dead, rows.summary().axis_from_end), (0, 1));
    let wrong = MonitorOptions { bins: 33, ..Default::default() };
    assert_eq!(Monitor::with_options(2, &wrong).unwrap_err().status(), Status::Unsupported);
}

/// A pool that hands out every second index, twice and with others that are none, and then panics.
fn bad_pool(count: i64, task: &libsugar::Task<'_>) {
    std::thread::scope(|scope| {
        for i in (-2..count + 2).step_by(2) {
            scope.spawn(move || task(i));
            scope.spawn(move || task(i));
        }
    });
    std::panic::resume_unwind(Box::new("a pool that fails"));
}

/// What a pool panics with.
struct Thrown(Arc<AtomicUsize>);

impl Drop for Thrown {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic!("dropped");
    }
}

#[test]
fn what_a_pool_throws_ends_in_the_call() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&dropped);
    let context = Context::with_pool(4, move |_, _| {
        std::panic::resume_unwind(Box::new(Thrown(Arc::clone(&counted))));
    });
    let (x, mut y) = (vec![-1f32; 200_000], vec![5f32; 200_000]);
    relu().forward_with(&x, &mut y, Call::new().threads(context.as_ref().unwrap())).unwrap();
    assert!(y.iter().all(|y| *y == 0.0));
    drop(context);
    // Here and in what was thrown, once, which is never dropped; the pool is.
    assert_eq!((dropped.load(Ordering::Relaxed), Arc::strong_count(&dropped)), (0, 2));
    let counted = Arc::clone(&dropped);
    assert!(Context::with_pool(-1, move |_, _| drop(Arc::clone(&counted))).is_err());
    assert_eq!(Arc::strong_count(&dropped), 2);
}

#[test]
fn threads_give_the_same_bits() {
    let gelu = Activation::new("gelu").unwrap();
    let x: Vec<f32> = (0..200_000).map(|i| i as f32 / 20_000.0 - 5.0).collect();
    let mut alone = vec![0.0; x.len()];
    gelu.forward(&x, &mut alone).unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let own = Context::with_pool(3, move |count, task| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::thread::scope(|scope| (0..count).for_each(|i| drop(scope.spawn(move || task(i)))));
    });
    let all = Context::new(0).unwrap();
    assert!(all.threads() >= 1);
    assert_eq!(Context::with_pool(0, bad_pool).unwrap().threads(), all.threads());
    let contexts = [Context::new(2).unwrap(), own.unwrap(), Context::with_pool(4, bad_pool).unwrap(), all];
    assert!(contexts.iter().zip([2, 3, 4]).all(|(context, threads)| context.threads() == threads));
    for context in &contexts {
        let mut together = vec![0.0; x.len()];
        gelu.forward_with(&x, &mut together, Call::new().threads(context)).unwrap();
        assert!(alone == together);
    }
    assert!(calls.load(Ordering::Relaxed) > 0);

    // One activation and one context, several threads, each with its own message.
    std::thread::scope(|scope| {
        for i in 1..5 {
            let (gelu, x, alone, context) = (&gelu, &x, &alone, &contexts[0]);
            scope.spawn(move || {
                let mut y = vec![0.0; x.len()];
                gelu.forward_with(x, &mut y, Call::new().threads(context)).unwrap();
                assert!(y == *alone);
                let error = gelu.forward(x, &mut y[..i]).unwrap_err();
                assert!(error.message().contains(&format!("shape ({},)", i)), "{}", error);
            });
        }
    });
}

#[test]
fn the_catalogue() {
    let relu = libsugar::kinds().find(|kind| kind.name == "relu").unwrap();
    assert!(relu.value.is_some() && relu.parameters().len() == 0);
    let elu = libsugar::kinds().find(|kind| kind.name == "elu").unwrap();
    assert!(elu.parameters().all(|parameter| parameter.minimum <= parameter.default_value));
    assert_eq!(elu.parameters().next().unwrap().name, "alpha");
    assert!(elu.parameters().all(|parameter| parameter.learnable && parameter.not_above.is_none()));
    let hardtanh = libsugar::kinds().find(|kind| kind.name == "hardtanh").unwrap();
    assert_eq!(hardtanh.parameters().map(|one| one.not_above).collect::<Vec<_>>(), [Some("max_val"), None]);
    assert!(libsugar::kinds().len() >= 39);
    assert_eq!(libsugar::levels().next().unwrap().name, "scalar");
    assert_eq!(libsugar::levels().filter(|level| level.in_use).count(), 1);
}
