package main

import (
	"context"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/cmd/etcd-appliance/internal/status"
	"github.com/etcd-appliance/etcd-appliance/effects/tlsfiles"
)

const (
	certificatesEvery = time.Minute    // their files are looked at
	certificatesTold  = 24 * time.Hour // the log is told again
)

// certificates are those that this instance shows, and those that it trusts.
type certificates struct {
	held   []held
	told   map[status.Certificate]time.Time
	broken string // what was last said to be wrong with the files
}

// held is an identity, and the settings that name the files of its certificate and of what it trusts.
type held struct {
	cert, ca string
	files    tlsfiles.Files
	*tlsfiles.Identity
}

// openCertificates opens those of the configuration. There may be none.
func openCertificates(t *TLS) (*certificates, error) {
	c := &certificates{told: map[status.Certificate]time.Time{}}
	all := []held{
		{cert: "cert-file", ca: "trusted-ca-file", files: t.Clients},
		{cert: "peer-cert-file", ca: "peer-trusted-ca-file", files: t.Peers},
	}
	if t.AgentCert != "" {
		all = append(all, held{cert: "agent-cert-file", ca: "trusted-ca-file", files: t.agent()})
	}
	for _, h := range all {
		if h.files.Cert == "" {
			continue
		}
		var err error
		if h.Identity, err = tlsfiles.Open(h.files); err != nil {
			return nil, err
		}
		c.held = append(c.held, h)
	}
	return c, nil
}

// Expiries tells until when each is valid; the errors are of files that have changed into something that cannot be used.
func (c *certificates) Expiries() (list []status.Certificate, errs []error) {
	for i := range c.held {
		h := &c.held[i]
		expiries, err := h.Identity.Expiries()
		for n, e := range expiries {
			one := status.Certificate{Setting: h.cert, Expiry: e}
			if n > 0 {
				one.Setting = h.ca
			}
			if !slices.Contains(list, one) { // the daemon trusts whom the clients' server trusts
				list = append(list, one)
			}
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return list, errs
}

// watch tells until when they are valid: others whenever they ask, and the log at once, every day, and when they have changed. A new
// certificate is in use then.
func (c *certificates) watch(ctx context.Context, board *status.Board, log zerolog.Logger) {
	if len(c.held) == 0 {
		return
	}
	for ticks := time.NewTicker(certificatesEvery); ; {
		board.Certified(c.tell(time.Now(), log))
		select {
		case <-ctx.Done():
			ticks.Stop()
			return
		case <-ticks.C:
		}
	}
}

func (c *certificates) tell(now time.Time, log zerolog.Logger) []status.Certificate {
	expiries, errs := c.Expiries()
	broken := ""
	for _, err := range errs {
		broken += err.Error() + "\n"
	}
	if broken != c.broken && broken != "" {
		log.Error().Errs("errors", errs).Msg("new certificates cannot be used; goes on with those of before, and etcd without")
	}
	c.broken = broken
	current := map[status.Certificate]time.Time{}
	for _, e := range expiries {
		last, before := c.told[e]
		if !before || now.Sub(last) >= certificatesTold {
			last = now
			level, what := zerolog.InfoLevel, "certificate is valid"
			switch left := e.Left(now); {
			case left <= 0:
				level, what = zerolog.ErrorLevel, "CERTIFICATE HAS EXPIRED: no new connection comes about with it; replace its file"
			case left < status.ExpiresSoon:
				level, what = zerolog.WarnLevel, "certificate expires soon; replace its file"
			}
			log.WithLevel(level).Str("setting", e.Setting).Str("file", e.File).Str("subject", e.Subject).Time("not_after", e.NotAfter).
				Int("days_left", int(e.Left(now).Hours()/24)).Msg(what)
		}
		current[e] = last
	}
	c.told = current
	return expiries
}
