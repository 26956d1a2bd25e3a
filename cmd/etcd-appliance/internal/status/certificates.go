package status

import (
	"slices"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/tlsfiles"
)

// ExpiresSoon is how long before its end a certificate is told of: whoever renews them has been late for a while then, or there is
// nobody.
const ExpiresSoon = 30 * 24 * time.Hour

// Certificate is one that an instance shows, or trusts.
type Certificate struct {
	Setting string `json:"setting"` // that names its file
	tlsfiles.Expiry
}

// Certified publishes the certificates as their files are now. Any goroutine may call it; the list must not change afterwards.
func (b *Board) Certified(list []Certificate) { b.certificates.Store(&list) }

func (b *Board) certified() []Certificate {
	if list := b.certificates.Load(); list != nil && *list != nil {
		return *list
	}
	return []Certificate{}
}

// firstOfEach gives of each file the certificate that ends first. An authority that is being replaced has two of one name in its
// file, so that a file is the least that can be told apart.
func firstOfEach(list []Certificate) (first []Certificate) {
	for _, c := range list {
		i := slices.IndexFunc(first, func(f Certificate) bool { return f.Setting == c.Setting })
		switch {
		case i < 0:
			first = append(first, c)
		case c.NotAfter.Before(first[i].NotAfter):
			first[i] = c
		}
	}
	return first
}

// grade is how good it is that a certificate has so long to go; it is a class of the page.
func grade(now time.Time, c Certificate) string {
	switch left := c.Left(now); {
	case left <= 0:
		return "bad"
	case left < ExpiresSoon:
		return "warn"
	default:
		return "good"
	}
}

// term tells until when a certificate is valid.
func term(now time.Time, c Certificate) string {
	if c.Left(now) <= 0 {
		return "HAS EXPIRED, for " + ago(now, c.NotAfter)
	}
	return "ends in " + ago(c.NotAfter, now)
}

// expiring lists the certificates of all instances whose daemons answer that end soon, or have ended.
func (v *Survey) expiring(now time.Time) (lines []string) {
	for _, s := range v.statuses() {
		for _, c := range s.Certificates {
			if grade(now, c) != "good" {
				lines = append(lines, s.Instance+" "+c.Setting+" "+c.File+" ("+c.Subject+") "+term(now, c))
			}
		}
	}
	return lines
}

// judgeCertificates finds those that no connection comes about with any more.
func judgeCertificates(s *Status, bad func(string, ...any)) {
	for _, c := range s.Certificates {
		if c.Left(s.At) <= 0 {
			bad("%s has a certificate that has expired: %s of %s", s.Instance, c.Subject, c.File)
		}
	}
}
