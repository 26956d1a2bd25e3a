package awsfake

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Look is how the describe calls show an instance, other than it is. The
// instance itself, its metadata and Cloud.Instances do not change.
type Look int

// Looks; they can be added.
const (
	// Unlisted: EC2 does not know the instance. It is in no list, and by its ID
	// the answer is InvalidInstanceID.NotFound, which does not mean that it has
	// ended (https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html).
	Unlisted Look = 1 << iota
	// Ungrouped: Auto Scaling does not list it, neither by itself nor in its group.
	Ungrouped
	// NoGroupTag: it runs, and lacks the tag of its group.
	NoGroupTag
	// NoTags: it has no tags at all.
	NoTags
	// NoAddress: it has no private address and no host name.
	NoAddress
	// IPv6Only: it is in a subnet without IPv4.
	IPv6Only
	// TwoInterfaces: it has a second network interface, which comes first in the
	// list; the address of the instance stays that of the primary one.
	TwoInterfaces
	// UnknownState and UnknownLifecycle: a state that the API learnt after this
	// program was built.
	UnknownState
	UnknownLifecycle
	// Frozen: it is shown as it was when this began, even after it has ended.
	Frozen
)

// The states that no SDK knows.
const (
	strangeState     = "relocating"
	strangeLifecycle = "Relocating:Wait"
)

type disguise struct {
	id     string
	look   Look
	until  time.Time
	frozen Instance
}

// newcomers are the instances launched until then.
type newcomers struct {
	look  Look
	first time.Duration
	until time.Time
}

// Disguise shows one instance so for a while.
func (c *Cloud) Disguise(id string, look Look, lasts time.Duration) {
	d := disguise{id: id, look: look, until: c.from(lasts)}
	if i := c.find(id); i != nil {
		d.frozen = *i
	}
	c.wears(d)
}

// wears puts a disguise on, and takes those off that are over.
func (c *Cloud) wears(d disguise) {
	c.troubles.disguises = append(slices.DeleteFunc(c.troubles.disguises, func(d disguise) bool { return !c.still(d.until) }), d)
}

// DisguiseNew shows each instance that is launched in a while so, for the first
// part of its life: that is how new ones are missing from lists, and lack tags.
func (c *Cloud) DisguiseNew(look Look, first, lasts time.Duration) {
	c.troubles.newcomers = append(c.troubles.newcomers, newcomers{look, first, c.from(lasts)})
}

// Shuffle makes the order of instances in lists differ from caller to caller for
// a while: AWS promises none (DescribeInstances, "The order of the elements in
// the response, including those within nested structures, might vary").
func (c *Cloud) Shuffle(lasts time.Duration) { c.troubles.shuffled = c.from(lasts) }

// arrives disguises an instance that is being launched.
func (c *Cloud) arrives(i *Instance) {
	for _, n := range c.troubles.newcomers {
		if c.still(n.until) {
			c.wears(disguise{i.ID, n.look, c.from(n.first), *i})
		}
	}
}

// look is how an instance is shown to this request, 0 for as it is.
func (r *request) look(id string) (l Look) {
	for n := range r.troubles.disguises {
		if d := &r.troubles.disguises[n]; d.id == id && r.still(d.until) && !r.byOperator() {
			l |= d.look
		}
	}
	return l
}

func (r *request) byOperator() bool { return r.opt.Operator != "" && r.call.Caller == r.opt.Operator }

// shown returns the instances as a list shows them that is without the given look.
func (r *request) shown(without Look) []Instance {
	t := &r.troubles
	shuffled := r.still(t.shuffled) && !r.byOperator()
	if r.call.Region == "" && len(t.disguises) == 0 && !shuffled && !r.fault.OmitNewest && len(r.fault.Omit) == 0 {
		return r.view.instances
	}
	list := slices.Clone(r.view.instances)
	if !r.byOperator() {
		for n := range t.disguises {
			list = r.freeze(list, &t.disguises[n])
		}
	}
	list = slices.DeleteFunc(list, func(i Instance) bool { return !r.reaches(i.Zone) || r.omitted(i.ID) || r.look(i.ID)&without != 0 })
	for n := range list {
		list[n].wear(r.look(list[n].ID))
	}
	if shuffled {
		salt := hash(r.call.Caller)
		key := func(i Instance) uint64 { return mix(salt ^ hash(i.ID)) }
		slices.SortFunc(list, func(a, b Instance) int { return cmp.Compare(key(a), key(b)) })
	}
	return list
}

// freeze puts an instance into the list as it was.
func (r *request) freeze(list []Instance, d *disguise) []Instance {
	if d.look&Frozen == 0 || d.frozen.ID == "" || !r.still(d.until) {
		return list
	}
	if n := slices.IndexFunc(list, func(i Instance) bool { return i.ID == d.id }); n >= 0 {
		list[n] = d.frozen
		return list
	}
	return append(list, d.frozen)
}

// wear changes a copy of an instance into what is shown of it.
func (i *Instance) wear(l Look) {
	i.look = l
	if l&NoTags != 0 {
		i.Tags = nil
	}
	if l&NoGroupTag != 0 {
		i.Tags = slices.DeleteFunc(slices.Clone(i.Tags), func(t Tag) bool { return t.Key == GroupNameTag })
	}
	if l&(NoAddress|IPv6Only) != 0 {
		i.PrivateIP, i.PrivateDNSName, i.PublicIP = "", "", ""
	}
	if l&UnknownState != 0 {
		i.State = strangeState
	}
	if l&UnknownLifecycle != 0 && i.Lifecycle != "" {
		i.Lifecycle = strangeLifecycle
	}
}

// secondAddress is on the interface that is not the primary one.
func secondAddress(ip string) string { return "172" + strings.TrimPrefix(ip, "10") }

// interfaces are listed for an instance with two of them only.
func (i *Instance) interfaces() []types.InstanceNetworkInterface {
	if i.look&TwoInterfaces == 0 || i.PrivateIP == "" {
		return nil
	}
	one := func(index int32, ip string) types.InstanceNetworkInterface {
		return types.InstanceNetworkInterface{
			NetworkInterfaceId: aws.String("eni-" + strings.TrimPrefix(i.ID, "i-")[:16] + itoa(int(index))), PrivateIpAddress: aws.String(ip),
			Attachment: &types.InstanceNetworkInterfaceAttachment{DeviceIndex: aws.Int32(index)},
		}
	}
	return []types.InstanceNetworkInterface{one(1, secondAddress(i.PrivateIP)), one(0, i.PrivateIP)}
}
