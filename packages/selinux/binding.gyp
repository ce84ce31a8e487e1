{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'selinux',
    'sources': [
      'native/binding.cc', 'native/ops.c', 'native/relabel.c', '../sys/native/apply.c', '../sys/native/path.c', '../sys/native/procfs.c',
    ],
  }],
}
