package pool

// spareDescriptors are the open files that miners may not use up: a found block
// must get onto the disk and to the nodes however many come.
const spareDescriptors = 400

// maxMiners is how many connections leave enough of the files that the process
// may open; 0 where no limit is known.
func maxMiners(limit uint64) int {
	if limit == 0 || limit > 1<<30 {
		return 0
	}
	return int(limit - min(limit/4, spareDescriptors))
}
