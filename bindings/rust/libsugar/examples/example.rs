fn main() -> Result<(), libsugar::Error> {
    let relu = libsugar::Activation::new("relu~bsilu")?;
    let (x, dy) = ([-2.0f32, -0.5, 0.5, 2.0], [1.0; 4]);
    let (mut y, mut dx) = ([0.0; 4], [0.0; 4]);
    relu.forward(&x, &mut y)?; // y = max(x, 0)
    relu.backward(&x, &dy, &mut dx)?; // dx = dy * bsilu'(x)
    for i in 0..4 {
        println!("x {:4.1}   y {:.1}   dx {:.4}", x[i], y[i], dx[i]);
    }
    Ok(())
}
