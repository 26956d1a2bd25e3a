package status

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCertificateGauges: a file has one value whatever is in it, that of what ends first. Without TLS there is none.
func TestCertificateGauges(t *testing.T) {
	gauges := func(b *Board) []string {
		return slices.DeleteFunc(values(t, b), func(line string) bool { return !strings.Contains(line, "certificate") })
	}
	got, want := gauges(board()), []string{
		`etcd_appliance_certificate_expiration_timestamp_seconds{file="/etc/etcd/ca.pem",setting="trusted-ca-file"} 1.7689968e+09`,
		`etcd_appliance_certificate_expiration_timestamp_seconds{file="/etc/etcd/server.pem",setting="cert-file"} 1.7750448e+09`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	plain := newBoard()
	plain.turn(leading(), follows)
	if got := gauges(plain); len(got) > 0 {
		t.Errorf("without TLS: %q", got)
	}
}

// TestCertificatesOfASurvey: what ends soon is shown, of others too; only what has ended is trouble.
func TestCertificatesOfASurvey(t *testing.T) {
	for _, c := range []struct {
		days            int // after noon
		shown, problems []string
	}{
		{-11, nil, nil},
		{0, []string{"trusted-ca-file /etc/etcd/ca.pem (CN=authority) ends in 20d0h"}, nil},
		{20, []string{"trusted-ca-file /etc/etcd/ca.pem (CN=authority) HAS EXPIRED, for 5s"}, []string{"has a certificate that has expired: CN=authority of /etc/etcd/ca.pem"}},
	} {
		at := noon.AddDate(0, 0, c.days)
		if len(c.problems) > 0 {
			at = at.Add(5 * time.Second)
		}
		o, other := leading(), following()
		o.Now, o.Cluster.At, other.Now, other.Cluster.At = at, at, at, at
		v := &Survey{}
		for i, facts := range []*Board{boardAt(at), boardAt(at)} {
			facts.Certified(papers())
			if i == 0 {
				facts.turn(o, keepsHouse)
				v.Here = facts.Status(facts.Latest())
				continue
			}
			facts.turn(other, follows)
			s := facts.Status(facts.Latest())
			v.Others = []Agent{{Instance: "i-b", Status: &s}}
		}
		v.merge()
		v.judge()
		both := func(list []string) (all []string) {
			for _, instance := range []string{"i-a ", "i-b "} {
				for _, text := range list {
					all = append(all, instance+text)
				}
			}
			return all
		}
		if got := v.expiring(at); !slices.Equal(got, both(c.shown)) {
			t.Errorf("day %d: shown %q, want %q", c.days, got, both(c.shown))
		}
		if !slices.Equal(v.Problems, both(c.problems)) && len(v.Problems)+len(c.problems) > 0 {
			t.Errorf("day %d: problems %q, want %q", c.days, v.Problems, both(c.problems))
		}
	}
}

func boardAt(at time.Time) *Board {
	b := newBoard()
	b.Now = func() time.Time { return at }
	return b
}
