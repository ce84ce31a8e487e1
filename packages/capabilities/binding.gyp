{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'capabilities',
    'sources': ['native/binding.cc', 'native/ops.c', '../sys/native/apply.c', '../sys/native/path.c', '../sys/native/procfs.c'],
  }],
}
