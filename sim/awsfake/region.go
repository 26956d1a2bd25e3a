package awsfake

// regionOf is the region of an availability zone: its name without the letter.
func regionOf(zone string) string {
	if zone == "" {
		return ""
	}
	return zone[:len(zone)-1]
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
