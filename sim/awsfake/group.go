package awsfake

import (
	"slices"
	"strings"
	"time"
)

// GroupNameTag is the tag that EC2 Auto Scaling puts on every instance it
// launches (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html).
const GroupNameTag = "aws:autoscaling:groupName"

// Group is one auto-scaling group. Its instances are those in Cloud.Instances
// with its name and a Lifecycle.
type Group struct {
	Name              string
	Min, Max, Desired int
	Zones             []string
	Tags              []GroupTag
	Suspended         []string // processes, sorted: Launch, Terminate, ReplaceUnhealthy, ...
	Hooks             []Hook   // sorted by name
	Template          string   // name of the launch template
	TemplateVersion   string
	CreatedAt         time.Time
	Maintenance       Bounds    // of every replacement, if Max is set
	Retain            bool      // keep instances whose termination hook was abandoned
	Refreshes         []Refresh // the newest first; never changed

	deleting    bool
	reconcileAt time.Time // when the group looks at itself next, zero for never
}

// GroupTag is a tag of a group, which its instances inherit or not.
type GroupTag struct {
	Tag
	PropagateAtLaunch bool
}

// Group returns a group by its name; false when there is none.
func (c *Cloud) Group(name string) (Group, bool) {
	if g := c.state.group(name); g != nil {
		return *g, true
	}
	return Group{}, false
}

func (s *state) group(name string) *Group {
	for n := range s.groups {
		if s.groups[n].Name == name {
			return &s.groups[n]
		}
	}
	return nil
}

func (g *Group) suspended(process string) bool { return slices.Contains(g.Suspended, process) }

// scheduleGroup makes the group look at itself after the reconcile delay.
func (c *Cloud) scheduleGroup(name string, at time.Time) {
	if g := c.state.group(name); g != nil {
		c.touch()
		g.reconcileAt = sooner(g.reconcileAt, at.Add(c.opt.ReconcileDelay))
	}
}

// advanceGroups reconciles the groups that are due at that time.
func (c *Cloud) advanceGroups(at time.Time) {
	for n := range c.state.groups {
		g := &c.state.groups[n]
		// A launch or termination asks for another look, hence the loop; it ends
		// because each round that changes anything brings the group closer to its size.
		for !g.reconcileAt.IsZero() && !g.reconcileAt.After(at) {
			g.reconcileAt = time.Time{}
			c.touch()
			c.reconcile(g, at)
		}
	}
	c.state.groups = slices.DeleteFunc(c.state.groups, func(g Group) bool {
		return g.deleting && len(c.members(g.Name)) == 0
	})
}

// reconcile brings the group to its desired size: check health, replace, launch,
// scale in.
func (c *Cloud) reconcile(g *Group, at time.Time) {
	c.checkHealth(g, at)
	stay, total := len(c.stay(g)), len(c.active(g))
	_, high := g.room()
	for missing := g.Desired - stay; missing > 0 && (total < high || total == stay) && !g.suspended("Launch"); missing-- {
		if !c.launch(g, at) {
			g.reconcileAt = sooner(g.reconcileAt, at.Add(c.opt.LaunchRetry))
			break
		}
		total++
	}
	for surplus := stay - g.Desired; surplus > 0 && !g.suspended("Terminate"); surplus-- {
		c.leaveService(c.victim(g), at, "User initiated (scale in)")
	}
	c.replaceOutgoing(g, at)
	c.followRefresh(g, at)
}

// checkHealth marks members whose machine is not running and replaces the
// unhealthy ones. EC2's status is all the group looks at; what runs on the
// machine it learns by SetInstanceHealth only.
func (c *Cloud) checkHealth(g *Group, at time.Time) {
	for _, i := range c.members(g.Name) {
		if i.Lifecycle == Standby {
			continue
		}
		if !i.downAt.IsZero() && !g.suspended("HealthCheck") {
			if noticed := i.downAt.Add(c.opt.HealthCheckDelay); noticed.After(at) {
				g.reconcileAt = sooner(g.reconcileAt, noticed)
			} else {
				i.Health = "Unhealthy"
			}
		}
		if i.Health != "Healthy" && inService(i) && !g.suspended("ReplaceUnhealthy") && !g.suspended("Terminate") {
			c.replaceUnhealthy(g, i, at)
		}
	}
}

// replaceUnhealthy terminates a member at once, unless the maintenance policy
// wants its replacement first and its machine still runs
// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-maintenance-policy-overview-and-considerations.html).
func (c *Cloud) replaceUnhealthy(g *Group, i *Instance, at time.Time) {
	if g.Maintenance.launchFirst() && i.State == Running {
		i.outgoing = true
		return
	}
	c.leaveService(i, at, "Server initiated (unhealthy)")
}

// members are the instances in the group, also those on their way out.
func (c *Cloud) members(group string) (list []*Instance) {
	for n := range c.state.instances {
		if i := &c.state.instances[n]; i.Group == group && i.Lifecycle != "" {
			list = append(list, i)
		}
	}
	return list
}

// active are the members that count towards the desired size.
func (c *Cloud) active(g *Group) []*Instance {
	return slices.DeleteFunc(c.members(g.Name), func(i *Instance) bool { return !inService(i) })
}

// inService tells whether a member counts: in service, or on its way there.
func inService(i *Instance) bool {
	return i.Lifecycle == "InService" || strings.HasPrefix(i.Lifecycle, "Pending")
}

// victim picks the instance that a scale-in takes: from the fullest zone, the
// oldest (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html).
func (c *Cloud) victim(g *Group) *Instance {
	stay := c.stay(g)
	inZone := map[string]int{}
	for _, i := range stay {
		inZone[i.Zone]++
	}
	return slices.MaxFunc(stay, func(a, b *Instance) int { return inZone[a.Zone] - inZone[b.Zone] })
}

// launch starts one instance in the emptiest zone that has capacity; false if
// EC2 had none to give.
func (c *Cloud) launch(g *Group, at time.Time) bool {
	call := c.begin(Call{Caller: "autoscaling", Service: "ec2", Action: "RunInstances"}, g.Name)
	if c.opt.Fault != nil {
		if err := c.opt.Fault(call).Err; err != nil {
			return false
		}
	}
	zone, ok := c.emptiestZone(g)
	if !ok {
		return false
	}
	c.touch()
	id := "i-0" + c.newID()
	ip := c.address(id)
	i := Instance{
		ID: id, State: Pending, PrivateIP: ip,
		PrivateDNSName: "ip-" + strings.ReplaceAll(ip, ".", "-") + "." + regionOf(zone) + ".compute.internal",
		Zone:           zone, LaunchedAt: at, Tags: instanceTags(g),
		Group: g.Name, Lifecycle: "Pending", Health: "Healthy", TemplateVersion: g.TemplateVersion,
		stateAt: at.Add(c.launchDelay()),
	}
	if c.opt.Public {
		i.PublicIP = publicAddress(ip)
	}
	if r := g.refreshing(); r != nil {
		i.TemplateVersion = r.TemplateVersion
	}
	if dead := c.troubles.deadBoots; c.still(dead.until) {
		i.diesAt = at.Add(dead.after)
	}
	c.arrives(&i)
	c.state.instances = append(c.state.instances, i)
	return true
}

// emptiestZone is where the next instance goes; false if no zone has capacity.
func (c *Cloud) emptiestZone(g *Group) (string, bool) {
	inZone := map[string]int{}
	for _, i := range c.stay(g) {
		inZone[i.Zone]++
	}
	zones := slices.DeleteFunc(slices.Clone(g.Zones), c.scarce)
	if len(zones) == 0 {
		return "", false
	}
	return slices.MinFunc(zones, func(a, b string) int { return inZone[a] - inZone[b] }), true
}

func instanceTags(g *Group) []Tag {
	tags := []Tag{{GroupNameTag, g.Name}}
	for _, t := range g.Tags {
		if t.PropagateAtLaunch {
			tags = append(tags, t.Tag)
		}
	}
	slices.SortFunc(tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	return tags
}
