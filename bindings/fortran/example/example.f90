program example
    use libsugar
    implicit none
    type(sugar_activation) :: act
    real :: x(3, 2) = reshape([-2.0, -1.0, -0.5, 0.0, 1.0, 2.0], [3, 2]), y(3, 2), dx(3)
    call act%create("relu~bsilu(alpha=1.67)")
    call act%forward(x, y)
    call act%backward(x(3:1:-1, 1), 1.0, dx)
    print "(a, 6f6.2)", act%spec() // ":", y
    print "(a, 3f7.3)", "a gradient where x < 0:", dx
end program
