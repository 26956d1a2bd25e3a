package sim

import (
	"math"
	"time"
)

// stream is a row of random numbers of its own. Each concern draws from its own stream, so that a new fault does not reshuffle
// the others. It is splitmix64, written out so that no Go release can change what a seed means.
type stream struct{ state uint64 }

func newStream(seed uint64, name string) *stream {
	h := seed ^ 0x9e3779b97f4a7c15
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 0x100000001b3
	}
	s := &stream{h}
	s.next()
	return s
}

func (s *stream) next() uint64 {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below gives 0 to n-1.
func (s *stream) below(n int) int { return int(s.next() % uint64(n)) }

// chance is true with probability p.
func (s *stream) chance(p float64) bool { return p > 0 && float64(s.next()>>11)/(1<<53) < p }

// between gives a duration from low up to high.
func (s *stream) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(s.next()%uint64(high-low))
}

// rate draws from low to high so that every order of magnitude is as likely as the next.
func (s *stream) rate(low, high float64) float64 {
	return low * exp(float64(s.next()>>11)/(1<<53)*ln(high/low))
}

// pause draws the time to the next of something that happens once in mean on average.
func (s *stream) pause(mean time.Duration) time.Duration {
	u := (float64(s.next()>>11) + 1) / (1 << 53)
	return time.Duration(-ln(u) * float64(mean))
}

// ln and exp are written out, since those of math have assembly of their own on some processors, and are compiled to fused
// multiplications on others: either may change the last bit, and a run with it. A conversion to float64 rounds a product before it
// is added to, on every processor (Go specification, Floating-point operators).

// ln is the natural logarithm of a positive number, by the series of 2*artanh.
func ln(x float64) float64 {
	fraction, exponent := math.Frexp(x)
	if fraction < math.Sqrt2/2 { // around 1, where ln is 0 and must be exact
		fraction, exponent = 2*fraction, exponent-1
	}
	z := (fraction - 1) / (fraction + 1)
	sum := 0.0
	for k := 23; k >= 1; k -= 2 {
		sum = float64(sum*float64(z*z)) + 1/float64(k)
	}
	return float64(2*z*sum) + float64(float64(exponent)*math.Ln2)
}

// exp is the inverse of ln, by the series of the exponential function.
func exp(x float64) float64 {
	exponent := math.Floor(x / math.Ln2)
	rest := x - float64(exponent*math.Ln2) // from 0 up to ln 2
	sum := 1.0
	for k := 22; k >= 1; k-- {
		sum = 1 + float64(rest*sum)/float64(k)
	}
	return math.Ldexp(sum, int(exponent))
}
