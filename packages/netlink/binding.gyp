{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'netlink',
    'sources': [
      'native/binding.cc', 'native/ops.c', 'native/open.c', 'native/tun.c', 'native/namespace.c',
      'native/request.c',
      '../sys/native/apply.c', '../sys/native/execute.c', '../sys/native/path.c', '../sys/native/procfs.c',
    ],
  }],
}
