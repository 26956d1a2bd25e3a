package awsfake

import "strings"

// regionOf is the region of an availability zone: its name without the letter.
func regionOf(zone string) string {
	if zone == "" {
		return ""
	}
	return zone[:len(zone)-1]
}

// publicAddress is behind what a private one is translated.
func publicAddress(private string) string {
	parts := strings.SplitN(private, ".", 3)
	return "198.51." + parts[2]
}

// publicName is the host name of a public address.
func (i *Instance) publicName() string {
	return "ec2-" + strings.ReplaceAll(i.PublicIP, ".", "-") + "." + i.Region() + ".compute.amazonaws.com"
}

// reaches tells whether what is in a zone is in the region that was asked.
func (r *request) reaches(zone string) bool {
	return r.call.Region == "" || regionOf(zone) == r.call.Region
}

// group finds a group of the region that was asked. Names are unique in the
// account, where AWS has them unique in a region.
func (r *request) group(name string) *Group {
	if g := r.state.group(name); g != nil && r.reaches(g.Zones[0]) {
		return g
	}
	return nil
}

// Region tells the region that an instance is in.
func (i *Instance) Region() string { return regionOf(i.Zone) }
