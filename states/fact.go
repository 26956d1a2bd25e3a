package states

// Fact is what is known about a yes-or-no question. The zero value is Unknown, so that a fact nobody has asked about yet, or
// whose answer was throttled, partial or late, can never be taken for a No.
type Fact uint8

// The three answers. Rules that act on absence ask for No by name and never for "not Yes".
const (
	Unknown Fact = iota
	No
	Yes
)

// Is turns an answer that was really obtained into a Fact.
func Is(b bool) Fact {
	if b {
		return Yes
	}
	return No
}

func (f Fact) String() string {
	switch f {
	case Yes:
		return "yes"
	case No:
		return "no"
	default:
		return "unknown"
	}
}
