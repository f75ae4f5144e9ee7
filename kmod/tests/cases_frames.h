/* SPDX-License-Identifier: GPL-2.0 */
/* Made by gen_cases.py from frames.json: do not edit. */
static const struct ockam_frame_case ockam_frames_accepted[] = {
	{
		.frame =
			"00000022848182004975707065726361736581820046633066666565460568656c6c6f627b7d",
		.onward =
			"0009757070657263617365",
		.ret =
			"0006633066666565",
		.payload =
			"0568656c6c6f",
		.canonical = false,
	},
	{
		.frame =
			"0000002f84818200436170698182005820386462643161323763636265336237313438653662303330313465333938643040f6",
		.onward =
			"0003617069",
		.ret =
			"00203864626431613237636362653362373134386536623033303134653339386430",
		.payload =
			"",
		.canonical = false,
	},
	{
		.frame =
			"0000011b838282014e3132372e302e302e313a343030308200416e80590100000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		.onward =
			"010e3132372e302e302e313a3430303000016e",
		.ret =
			"",
		.payload =
			"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		.canonical = true,
	},
	{
		.frame =
			"0000000483808040",
		.onward =
			"",
		.ret =
			"",
		.payload =
			"",
		.canonical = true,
	},
};

static const struct ockam_refused_case ockam_frames_refused[] = {
	{
		.why = "length zero",
		.frame = "00000000",
	},
	{
		.why = "length above the limit",
		.frame = "01000001838182004161804178",
	},
	{
		.why = "array of two",
		.frame = "0000000782818200416180",
	},
	{
		.why = "payload is text",
		.frame = "00000009838182004161806178",
	},
	{
		.why = "route is a map",
		.frame = "0000000583a0804178",
	},
	{
		.why = "address type 256",
		.frame = "0000000b8381821901004161804178",
	},
	{
		.why = "address has one element",
		.frame = "0000000783818100804178",
	},
	{
		.why = "byte string longer than the frame",
		.frame = "0000000783808059ffff78",
	},
	{
		.why = "byte string of 2^64-1",
		.frame = "0000000c8380805bffffffffffffffff",
	},
	{
		.why = "array header of 2^32-1 addresses",
		.frame = "00000006839affffffff",
	},
	{
		.why = "reserved additional information",
		.frame = "000000048380805c",
	},
	{
		.why = "nothing but an array header",
		.frame = "0000000183",
	},
};
