package main

import (
	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// reloader reads the configuration again at SIGHUP. What a living daemon can take over is the etcd version; the rest is fixed
// for its life. A configuration that cannot be read changes nothing.
func reloader(load func() (Config, error), world *effects.Effects, log zerolog.Logger) func() {
	return func() {
		c, err := load()
		if err != nil {
			log.Error().Err(err).Msg("the new configuration cannot be used; goes on with the old one")
			return
		}
		log.Info().Str("wanted", c.EtcdVersion.String()).Msg("has read its configuration again; of it only the etcd version takes effect without a restart")
		world.Want(c.EtcdVersion)
	}
}
