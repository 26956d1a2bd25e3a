package sim

import (
	"math"
	"testing"
)

// ln and exp are as exact as those of math, to the last bits, which is all that they may differ in.
func TestLogarithmAndExponential(t *testing.T) {
	t.Parallel()
	s := newStream(1, "test")
	for range 10000 {
		x := s.rate(1e-17, 1e17)
		if got, want := ln(x), math.Log(x); math.Abs(got-want) > 1e-15*max(1, math.Abs(want)) {
			t.Errorf("ln(%g) is %g instead of %g", x, got, want)
		}
		y := ln(x)
		if got, want := exp(y), math.Exp(y); math.Abs(got-want) > 2e-15*want*max(1, math.Abs(y)) {
			t.Errorf("exp(%g) is %g instead of %g", y, got, want)
		}
	}
	if ln(1) != 0 || exp(0) != 1 {
		t.Errorf("ln(1) is %g, exp(0) is %g", ln(1), exp(0))
	}
}
