package states

import "testing"

// TestOldEntries: what was written before the whole cluster had left the older server has to be behind a snapshot, and no more. Where
// that is not known, it is all that there is.
func TestOldEntries(t *testing.T) {
	for _, c := range []struct {
		what    string
		level   string
		settled uint64
		want    uint64
	}{
		{"its server had the version then", "3.6", 40, 40},
		{"its server has not said", "3.6", 0, 90},
		{"others run an older one still", "3.5", 40, 90},
	} {
		o := Observation{Process: Process{Minor: minorOf("3.6")}}
		o.Cluster.Version, o.Cluster.Settled, o.Cluster.Local.Applied = minorOf(c.level), c.settled, 90
		if got := (&turn{Observation: &o}).oldEntries(); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}
