package main

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/effects/tlsfiles"
)

const (
	certificatesEvery = time.Minute         // their files are looked at
	certificatesTold  = 24 * time.Hour      // the log is told again
	certificatesShort = 30 * 24 * time.Hour // is short: whoever renews them has been late for a while, or there is nobody
)

// certificates are those that this instance shows, and those that it trusts.
type certificates struct {
	identities []*tlsfiles.Identity
	told       map[tlsfiles.Expiry]time.Time
	broken     string // what was last said to be wrong with the files
}

// openCertificates opens those of the configuration. There may be none.
func openCertificates(t *TLS) (*certificates, error) {
	c := &certificates{told: map[tlsfiles.Expiry]time.Time{}}
	all := []tlsfiles.Files{t.Clients, t.Peers}
	if t.AgentCert != "" {
		all = append(all, t.agent())
	}
	for _, files := range all {
		if files.Cert == "" {
			continue
		}
		identity, err := tlsfiles.Open(files)
		if err != nil {
			return nil, err
		}
		c.identities = append(c.identities, identity)
	}
	return c, nil
}

// Expiries tells until when each is valid; the errors are of files that have changed into something that cannot be used.
func (c *certificates) Expiries() (list []tlsfiles.Expiry, errs []error) {
	for _, identity := range c.identities {
		expiries, err := identity.Expiries()
		list = append(list, expiries...)
		if err != nil {
			errs = append(errs, err)
		}
	}
	return list, errs
}

// watch tells the log until when they are valid: at once, every day, and when they have changed. A new certificate is in use then.
func (c *certificates) watch(ctx context.Context, log zerolog.Logger) {
	if len(c.identities) == 0 {
		return
	}
	for ticks := time.NewTicker(certificatesEvery); ; {
		c.tell(time.Now(), log)
		select {
		case <-ctx.Done():
			ticks.Stop()
			return
		case <-ticks.C:
		}
	}
}

func (c *certificates) tell(now time.Time, log zerolog.Logger) {
	expiries, errs := c.Expiries()
	broken := ""
	for _, err := range errs {
		broken += err.Error() + "\n"
	}
	if broken != c.broken && broken != "" {
		log.Error().Errs("errors", errs).Msg("new certificates cannot be used; goes on with those of before, and etcd without")
	}
	c.broken = broken
	current := map[tlsfiles.Expiry]time.Time{}
	for _, e := range expiries {
		last, before := c.told[e]
		if !before || now.Sub(last) >= certificatesTold {
			last = now
			level, what := zerolog.InfoLevel, "certificate is valid"
			switch left := e.Left(now); {
			case left <= 0:
				level, what = zerolog.ErrorLevel, "CERTIFICATE HAS EXPIRED: no new connection comes about with it; replace its file"
			case left < certificatesShort:
				level, what = zerolog.WarnLevel, "certificate expires soon; replace its file"
			}
			log.WithLevel(level).Str("file", e.File).Str("subject", e.Subject).Time("not_after", e.NotAfter).
				Int("days_left", int(e.Left(now).Hours()/24)).Msg(what)
		}
		current[e] = last
	}
	c.told = current
}
