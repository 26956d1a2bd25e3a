package effects

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// VersionTag is the tag of the auto-scaling group that says which etcd all its instances are to run. It goes before every
// configuration of an instance, since it is how an upgrade of the whole group is driven from one place.
const VersionTag = "etcd-version"

// wish is a version that is wanted: a minor, and which version of it that has to be, if it has to be one.
type wish struct {
	minor states.MinorVersion
	exact states.Version
}

// Want changes what the configuration of this instance wants.
func (e *Effects) Want(minor states.MinorVersion, exact states.Version) {
	e.configured = wish{minor, exact}
	e.weigh(0)
}

// heedTag takes the group's tag over. One that makes no sense changes nothing: neither does it end what the tag before it began.
func (e *Effects) heedTag(tags []asgtypes.TagDescription) {
	i := slices.IndexFunc(tags, func(t asgtypes.TagDescription) bool { return aws.ToString(t.Key) == VersionTag })
	tagged := wish{}
	var err error
	if i >= 0 {
		tagged.minor, tagged.exact, err = states.ParseWanted(aws.ToString(tags[i].Value))
		if err == nil && !slices.Contains(e.facts.Servers, tagged.minor) {
			err = fmt.Errorf("no etcd %s is installed here", tagged.minor)
		}
	}
	if err != nil {
		err = fmt.Errorf("is ignored: %w", err)
	} else {
		e.tagged = tagged
		e.weigh(e.TagEvery)
	}
	e.complaint.note(e.Log, "tag "+VersionTag+" of the group", err)
}

// weigh decides between both. What has changed is known everywhere within some time.
func (e *Effects) weigh(within time.Duration) {
	w := e.configured
	if e.tagged.minor.Known() {
		w = e.tagged
	}
	if e.facts.Wanted != w.minor || e.facts.Exact != w.exact {
		e.facts.Wanted, e.facts.Exact, e.facts.Since, e.facts.Spread = w.minor, w.exact, e.Now(), within
		e.Log.Info().Str("wanted", w.minor.String()).Bool("tagged", e.tagged.minor.Known()).Msg("wants another etcd")
	}
}
