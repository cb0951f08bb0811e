package keys

// Cheap makes the derivation from a new vault's passphrase cost next to nothing.
func Cheap(o *options) { o.cost = cost{time: 1, memoryKiB: 8} }
