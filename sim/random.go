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
	return low * math.Pow(high/low, float64(s.next()>>11)/(1<<53))
}

// pause draws the time to the next of something that happens once in mean on average.
func (s *stream) pause(mean time.Duration) time.Duration {
	u := (float64(s.next()>>11) + 1) / (1 << 53)
	return time.Duration(-math.Log(u) * float64(mean))
}
