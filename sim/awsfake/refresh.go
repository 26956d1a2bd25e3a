package awsfake

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// Refresh is an instance refresh: the rolling replacement of all instances of a
// group
// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html).
type Refresh struct {
	ID              string
	Status          string // InProgress, Successful or Cancelled
	Bounds          Bounds
	Warmup          time.Duration // from in service to the next replacement
	TemplateVersion string        // of the replacements
	Instances       int           // to be replaced in all
	Left            int           // of them not yet gone
	StartedAt       time.Time
	EndedAt         time.Time // zero while it goes on
}

// refreshing is the refresh that goes on, nil if none does.
func (g *Group) refreshing() *Refresh {
	if len(g.Refreshes) > 0 && g.Refreshes[0].Status == string(types.InstanceRefreshStatusInProgress) {
		return &g.Refreshes[0]
	}
	return nil
}

// startRefresh marks the instances that are to be replaced.
func (c *Cloud) startRefresh(g *Group, r Refresh, skipMatching bool) {
	for _, i := range c.active(g) {
		if !skipMatching || i.TemplateVersion != r.TemplateVersion {
			i.outgoing = true
			r.Instances++
		}
	}
	r.Left = r.Instances
	g.Refreshes = append([]Refresh{r}, g.Refreshes...)
	c.scheduleGroup(g.Name, c.opt.Now())
}

// followRefresh notes how far the refresh is: it is successful when no old
// instance is left and as many new ones as wanted serve.
func (c *Cloud) followRefresh(g *Group, at time.Time) {
	r := g.refreshing()
	if r == nil {
		return
	}
	left, serving := 0, 0
	for _, i := range c.active(g) {
		switch warm := i.servesAt.Add(r.Warmup); {
		case i.outgoing:
			left++
		case i.Lifecycle != "InService":
		case warm.After(at):
			g.reconcileAt = sooner(g.reconcileAt, warm)
		default:
			serving++
		}
	}
	c.changeRefresh(g, func(r *Refresh) {
		r.Left = left
		if left == 0 && serving >= g.Desired {
			r.Status, r.EndedAt = string(types.InstanceRefreshStatusSuccessful), at
			g.TemplateVersion = r.TemplateVersion
		}
	})
}

// cancelRefresh leaves the instances alone that are not yet being replaced.
func (c *Cloud) cancelRefresh(g *Group) {
	c.touch()
	for _, i := range c.active(g) {
		i.outgoing = false
	}
	c.changeRefresh(g, func(r *Refresh) {
		r.Status, r.EndedAt = string(types.InstanceRefreshStatusCancelled), c.opt.Now()
	})
	c.scheduleGroup(g.Name, c.opt.Now())
}

// changeRefresh changes a copy: snapshots keep the one before.
func (c *Cloud) changeRefresh(g *Group, change func(*Refresh)) {
	g.Refreshes = slices.Clone(g.Refreshes)
	change(&g.Refreshes[0])
}
